//! What does an agent read before it calls? The SKILL.md of each skill, with the digest of its bytes: the extension
//! `io.modelcontextprotocol/skills`.
//!
//! A skill's address is `skill://NAMESPACE/NAME/SKILL.md`. What is listed and what can be read is what the caller could call at that
//! moment, from a package that was verified then.

use rmcp::model::{Resource, ResourceContents, SKILL_MD, Skill, SkillFrontmatter, SkillResource, SkillResources};
use skillhall::hall::Sheet;
use skillhall_core::id::SkillId;
use skillhall_core::package::adapters::front_matter;

const TYPE: &str = "text/markdown";

/// Where agents find a skill's SKILL.md.
fn uri(skill: &SkillId) -> String {
    format!("skill://{}/{}/{SKILL_MD}", skill.namespace, skill.name)
}

/// A skill, as it is listed; `None` if its SKILL.md is not one that the extension takes.
pub(crate) fn skill(sheet: &Sheet) -> Option<Skill> {
    let uri = uri(&sheet.skill.id);
    let mut said = front_matter(&sheet.text)?;
    let name = said.remove("name")?.as_str()?.to_owned();
    let description = said.remove("description")?.as_str()?.to_owned();
    let mut matter = SkillFrontmatter::new(name, description);
    matter.extra = said;
    let files = vec![SkillResource::from_bytes(uri.clone(), &sheet.text)];
    let skill = Skill::new(uri, matter, SkillResources::Files(files));
    skill.validate().is_ok().then_some(skill)
}

/// Its file, as it is listed among the resources.
pub(crate) fn resource(sheet: &Sheet) -> Option<Resource> {
    let skill = skill(sheet)?;
    let size = u64::try_from(sheet.text.len()).ok()?;
    let resource = Resource::new(skill.uri, format!("{}/{SKILL_MD}", skill.frontmatter.name));
    Some(resource.with_description(skill.frontmatter.description).with_mime_type(TYPE).with_size(size))
}

/// Its file.
pub(crate) fn contents(sheet: &Sheet) -> Option<ResourceContents> {
    let text = std::str::from_utf8(&sheet.text).ok()?;
    Some(ResourceContents::text(text, skill(sheet)?.uri).with_mime_type(TYPE))
}
