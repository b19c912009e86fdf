//! The system calls of a worker: those that computing needs, and no others.

use std::collections::BTreeMap;

use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
};

/// Switches the filter on; `false` if this kernel has none. What is not on the list fails with `EPERM`, so that a C library that
/// would like something more goes on without it.
pub(super) fn apply() -> bool {
    program().is_ok_and(|program| seccompiler::apply_filter(&program).is_ok())
}

fn program() -> Result<BpfProgram, BackendError> {
    let denied = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    SeccompFilter::new(rules()?, denied, SeccompAction::Allow, std::env::consts::ARCH.try_into()?)?.try_into()
}

/// What is allowed, and with which arguments. Of the descriptors only the standard ones can be used, so that one that was
/// handed down by mistake is of no use; memory never becomes executable.
fn rules() -> Result<BTreeMap<i64, Vec<SeccompRule>>, BackendError> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = FREE.iter().map(|call| (*call, Vec::new())).collect();
    let anonymous = has(3, libc::MAP_ANONYMOUS, libc::MAP_ANONYMOUS)?;
    rules.insert(libc::SYS_read, vec![SeccompRule::new(vec![is(0, libc::STDIN_FILENO)?])?]);
    for call in [libc::SYS_write, libc::SYS_writev] {
        let streams = [libc::STDOUT_FILENO, libc::STDERR_FILENO];
        let streams = streams.into_iter().map(|stream| SeccompRule::new(vec![is(0, stream)?]));
        rules.insert(call, streams.collect::<Result<_, _>>()?);
    }
    rules.insert(libc::SYS_mmap, vec![SeccompRule::new(vec![anonymous, has(2, libc::PROT_EXEC, 0)?])?]);
    rules.insert(libc::SYS_mprotect, vec![SeccompRule::new(vec![has(2, libc::PROT_EXEC, 0)?])?]);
    // How the C library ends a process that gives up.
    rules.insert(libc::SYS_tgkill, vec![SeccompRule::new(vec![is(2, libc::SIGABRT)?])?]);
    Ok(rules)
}

/// Allowed with any arguments: memory of one's own, waiting for oneself, time, randomness, one's own signals, and the end.
const FREE: [i64; 17] = [
    libc::SYS_brk,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_madvise,
    libc::SYS_futex,
    libc::SYS_sched_yield,
    libc::SYS_clock_gettime,
    libc::SYS_getrandom,
    libc::SYS_getpid,
    libc::SYS_gettid,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_restart_syscall,
    libc::SYS_exit,
    libc::SYS_exit_group,
];

fn is(argument: u8, value: i32) -> Result<SeccompCondition, BackendError> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, u64::from(value.unsigned_abs()))
}

/// Of the bits in `mask`, exactly `bits` are set.
fn has(argument: u8, mask: i32, bits: i32) -> Result<SeccompCondition, BackendError> {
    let (mask, bits) = (u64::from(mask.unsigned_abs()), u64::from(bits.unsigned_abs()));
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(mask), bits)
}
