//! The system calls of a worker: those that its work needs, and no others.

use std::collections::BTreeMap;

use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
};

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// Switches the filter of a worker that compiles on; `false` if this kernel has none. What is not on the list fails with
/// `EPERM`, so that a C library that would like something more goes on without it.
pub(super) fn apply() -> bool {
    applied(rules(), denied(), SeccompAction::Allow)
}

/// Switches the filter of a worker that runs guests on. With `files` it can open files, which only Landlock keeps to its folders.
/// The descriptors that it was `left` by mistake are of no use.
pub(super) fn apply_guest(files: bool, left: &[i32]) -> bool {
    // A C library that asks for a thread in the newer way, whose arguments no filter can see, is sent to the older one.
    let newer = BTreeMap::from([(libc::SYS_clone3, Vec::new())]);
    let absent = SeccompAction::Errno(libc::ENOSYS.unsigned_abs());
    applied(Ok(newer), SeccompAction::Allow, absent) && applied(guest_rules(files, left), denied(), SeccompAction::Allow)
}

/// From here on no memory becomes executable, and without `files` nothing is opened.
pub(super) fn seal_off(files: bool) -> bool {
    applied(sealing_rules(files), SeccompAction::Allow, denied())
}

fn denied() -> SeccompAction {
    SeccompAction::Errno(libc::EPERM.unsigned_abs())
}

/// A filter that does one thing with the calls that have rules which match, and another with all others.
fn applied(rules: Result<Rules, BackendError>, others: SeccompAction, matching: SeccompAction) -> bool {
    let program = || -> Result<BpfProgram, BackendError> {
        SeccompFilter::new(rules?, others, matching, std::env::consts::ARCH.try_into()?)?.try_into()
    };
    program().is_ok_and(|program| seccompiler::apply_filter(&program).is_ok())
}

/// What compiling needs, and with which arguments. Of the descriptors only the standard ones can be used, so that one that was
/// handed down by mistake is of no use; memory never becomes executable.
fn rules() -> Result<Rules, BackendError> {
    let mut rules = free(&FREE);
    let anonymous = has(3, libc::MAP_ANONYMOUS, libc::MAP_ANONYMOUS)?;
    rules.insert(libc::SYS_read, vec![SeccompRule::new(vec![is(0, libc::STDIN_FILENO)?])?]);
    for call in [libc::SYS_write, libc::SYS_writev] {
        let streams = [libc::STDOUT_FILENO, libc::STDERR_FILENO];
        let streams = streams.into_iter().map(|stream| SeccompRule::new(vec![is(0, stream)?]));
        rules.insert(call, streams.collect::<Result<_, _>>()?);
    }
    rules.insert(libc::SYS_mmap, vec![SeccompRule::new(vec![anonymous, has(2, libc::PROT_EXEC, 0)?])?]);
    rules.insert(libc::SYS_mprotect, vec![SeccompRule::new(vec![has(2, libc::PROT_EXEC, 0)?])?]);
    giving_up(&mut rules)?;
    Ok(rules)
}

/// What running guests needs: threads of its own, its socket, its code; and with `files` what `wasi:filesystem` does.
fn guest_rules(files: bool, left: &[i32]) -> Result<Rules, BackendError> {
    let mut rules = free(&FREE);
    rules.extend(free(&THREADS));
    rules.extend(free(&[libc::SYS_mprotect, libc::SYS_memfd_create, libc::SYS_close, libc::SYS_seccomp, libc::SYS_clone3]));
    let thread = libc::CLONE_VM | libc::CLONE_THREAD | libc::CLONE_SIGHAND;
    rules.insert(libc::SYS_clone, vec![SeccompRule::new(vec![has(0, thread, thread)?])?]);
    let names =
        [libc::PR_SET_NAME, libc::PR_SET_NO_NEW_PRIVS, NAME_MEMORY].into_iter().map(|name| SeccompRule::new(vec![is(0, name)?]));
    rules.insert(libc::SYS_prctl, names.collect::<Result<_, _>>()?);
    // Asking for a limit, not setting one; and only one's own.
    let asking = SeccompCondition::new(2, SeccompCmpArgLen::Qword, SeccompCmpOp::Eq, 0)?;
    rules.insert(libc::SYS_prlimit64, vec![SeccompRule::new(vec![is(0, 0)?, asking])?]);
    giving_up(&mut rules)?;
    // Others of its commands could have signals sent to other processes.
    let commands = COMMANDS.into_iter().map(|command| {
        let mut conditions = vec![is(1, command)?];
        for one in left {
            conditions.push(is_not(0, *one)?);
        }
        SeccompRule::new(conditions)
    });
    rules.insert(libc::SYS_fcntl, commands.collect::<Result<_, _>>()?);
    // Anonymous memory has no descriptor; that of files is in the fifth argument.
    rules.insert(libc::SYS_mmap, not_left(4, left)?);
    for call in DESCRIPTORS.into_iter().chain(LOADING) {
        rules.insert(call, not_left(0, left)?);
    }
    if files {
        for call in FILES {
            rules.insert(call, not_left(0, left)?);
        }
        // These name two folders.
        for call in [libc::SYS_renameat, libc::SYS_renameat2, libc::SYS_linkat] {
            let both = left.iter().flat_map(|one| [(0, *one), (2, *one)]).collect::<Vec<_>>();
            rules.insert(call, none_of(&both)?);
        }
        rules.insert(libc::SYS_symlinkat, not_left(1, left)?);
    }
    Ok(rules)
}

fn sealing_rules(files: bool) -> Result<Rules, BackendError> {
    let executable = || -> Result<Vec<SeccompRule>, BackendError> {
        Ok(vec![SeccompRule::new(vec![has(2, libc::PROT_EXEC, libc::PROT_EXEC)?])?])
    };
    let mut rules = BTreeMap::from([(libc::SYS_mmap, executable()?), (libc::SYS_mprotect, executable()?)]);
    // No further filter is needed.
    rules.insert(libc::SYS_seccomp, Vec::new());
    if !files {
        rules.extend(free(&LOADING));
    }
    Ok(rules)
}

/// How the C library ends a process that gives up.
fn giving_up(rules: &mut Rules) -> Result<(), BackendError> {
    rules.insert(libc::SYS_tgkill, vec![SeccompRule::new(vec![is(2, libc::SIGABRT)?])?]);
    Ok(())
}

fn free(calls: &[i64]) -> Rules {
    calls.iter().map(|call| (*call, Vec::new())).collect()
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

/// What threads need beside, and sleeping.
const THREADS: [i64; 7] = [
    libc::SYS_set_robust_list,
    libc::SYS_rseq,
    libc::SYS_sched_getaffinity,
    libc::SYS_nanosleep,
    libc::SYS_clock_nanosleep,
    libc::SYS_clock_getres,
    libc::SYS_membarrier,
];

/// What is done with an open file or socket that one has: none of these gives another.
const DESCRIPTORS: [i64; 11] = [
    libc::SYS_read,
    libc::SYS_write,
    libc::SYS_readv,
    libc::SYS_writev,
    libc::SYS_pread64,
    libc::SYS_pwrite64,
    libc::SYS_lseek,
    libc::SYS_fstat,
    libc::SYS_ftruncate,
    libc::SYS_recvfrom,
    libc::SYS_sendto,
];

/// `PR_SET_VMA`: C libraries name their memory.
const NAME_MEMORY: i32 = 0x5356_4d41;

/// What is asked of `fcntl`.
const COMMANDS: [i32; 7] =
    [libc::F_DUPFD_CLOEXEC, libc::F_GETFD, libc::F_SETFD, libc::F_GETFL, libc::F_SETFL, libc::F_GET_SEALS, libc::F_ADD_SEALS];

/// What mapping the code takes.
const LOADING: [i64; 4] = [libc::SYS_openat, libc::SYS_statx, libc::SYS_newfstatat, libc::SYS_readlinkat];

/// What `wasi:filesystem` takes beside. The first argument of each is a descriptor.
const FILES: [i64; 14] = [
    libc::SYS_openat2,
    libc::SYS_fstatfs,
    libc::SYS_getdents64,
    libc::SYS_preadv,
    libc::SYS_pwritev,
    libc::SYS_preadv2,
    libc::SYS_pwritev2,
    libc::SYS_fallocate,
    libc::SYS_fadvise64,
    libc::SYS_fsync,
    libc::SYS_fdatasync,
    libc::SYS_utimensat,
    libc::SYS_mkdirat,
    libc::SYS_unlinkat,
];

/// A call whose argument is none of these descriptors.
fn not_left(argument: u8, left: &[i32]) -> Result<Vec<SeccompRule>, BackendError> {
    none_of(&left.iter().map(|one| (argument, *one)).collect::<Vec<_>>())
}

fn none_of(pairs: &[(u8, i32)]) -> Result<Vec<SeccompRule>, BackendError> {
    if pairs.is_empty() {
        return Ok(Vec::new());
    }
    let conditions = pairs.iter().map(|(argument, value)| is_not(*argument, *value));
    Ok(vec![SeccompRule::new(conditions.collect::<Result<_, _>>()?)?])
}

fn is_not(argument: u8, value: i32) -> Result<SeccompCondition, BackendError> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, u64::from(value.unsigned_abs()))
}

fn is(argument: u8, value: i32) -> Result<SeccompCondition, BackendError> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, u64::from(value.unsigned_abs()))
}

/// Of the bits in `mask`, exactly `bits` are set.
fn has(argument: u8, mask: i32, bits: i32) -> Result<SeccompCondition, BackendError> {
    let (mask, bits) = (u64::from(mask.unsigned_abs()), u64::from(bits.unsigned_abs()));
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(mask), bits)
}
