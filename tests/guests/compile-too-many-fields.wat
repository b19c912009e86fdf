;;! tries = "Has a record of 10,001 fields."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { refused = "component" }
;;! doctor = false
;;! says = "record field size is out of bounds"
(component (type (record (;* 10001 ;)(field "f{i}" u8) (;* ;))))
