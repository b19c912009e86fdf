//! A skill as an author writes it: the macro's types and traits, in a crate that builds for this machine.
#![deny(unsafe_code)]

use bindings::exports::skillhall::test::api::{GreetError, Guest as Api, Traits};

skillhall_sdk::skill! { world: "skill", path: "tests/wit", by: Greeter }

struct Greeter;

impl Api for Greeter {
    fn greet(name: String, how: Option<Traits>) -> Result<String, GreetError> {
        let how = how.unwrap_or(Traits::empty());
        if name.is_empty() {
            return Err(GreetError::NoName);
        }
        if name.len() > 10 {
            return Err(GreetError::TooLong(10));
        }
        skillhall_sdk::info!("greeting {name}");
        let name = if how.contains(Traits::LOUD) { name.to_uppercase() } else { name };
        Ok(format!("Hello, {name}"))
    }
}

impl bindings::Guest for Greeter {
    fn length(text: String) -> Result<u32, String> {
        u32::try_from(text.len()).map_err(skillhall_sdk::explain)
    }
}

#[test]
fn an_interface_is_implemented_with_its_own_types() {
    assert_eq!(Greeter::greet("Ada".to_owned(), Some(Traits::LOUD)).expect("greets"), "Hello, ADA");
    assert!(matches!(Greeter::greet(String::new(), None), Err(GreetError::NoName)));
    assert!(matches!(Greeter::greet("x".repeat(11), None), Err(GreetError::TooLong(10))));
}

#[test]
fn a_function_of_the_world_is_implemented_beside_it() {
    assert_eq!(<Greeter as bindings::Guest>::length("four".to_owned()), Ok(4));
}
