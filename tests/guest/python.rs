//! The same guarantees for a library that has started Python.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;

use crate::program::{Program, RunOutput};
use crate::{compares, runs_closed};

/// Simulator whose firmware calls these callbacks.
fn simulator(callbacks: &str) -> Program {
    let simulator = Program::simulator();
    let start = "import asyncio, os, signal, sys, threading\nfrom pymb_rpc import register_callback\n\
                 def mbpy_calls_init(): pass\n";
    let text = format!("{start}{callbacks}");
    fs::write(simulator.file("mbpy_calls_init.py"), text).unwrap();
    simulator
}

/// Callback that computes and waits.
const WORKS: &str = "
@register_callback
async def works(channel):
    await asyncio.sleep(0)
    assert signal.getsignal(signal.SIGINT) is signal.SIG_DFL
    assert abs(float('0.1') / 3 - 0.0333) < 0.001
    assert repr(1 / 3) == '0.3333333333333333'
    try:
        float('inf') / 0
    except ZeroDivisionError:
        return 1
";

#[test]
fn the_process_stays_as_it_is() {
    compares_with(WORKS, "works");
}

/// Reports of exceptions are formatted and observed with the simulator's floating-point state.
#[test]
fn the_process_stays_as_it_is_in_reports_of_exceptions() {
    for fails in [
        "1 / 0",
        "return 1 / 3",
        "return 1 << 70",
        "print(1 / 3) or {}['key']",
    ] {
        let callbacks = format!(
            "
@register_callback
async def fails(channel):
    await asyncio.sleep(0)
    {fails}
"
        );
        compares_with(&callbacks, "fails");
    }
}

/// Like [`compares`], with a Python method as the argument after the paths.
fn compares_with(callbacks: &str, method: &str) {
    let simulator = simulator(callbacks).with_method(method);
    compares(&simulator, &["state"]);
}

#[test]
fn standard_streams_that_are_closed_are_taken_by_nothing() {
    let simulator = simulator(
        "
@register_callback
async def works(channel):
    print('not for a file')
    await asyncio.sleep(0)
    return 1
",
    )
    .with_method("works");
    runs_closed(&simulator, &["closed"]);
}

#[test]
fn an_interrupt_ends_the_simulator_as_it_did_before() {
    let simulator = simulator(WORKS).with_method("works");
    let output = simulator.command(&["interrupted"]).output().unwrap();
    assert_eq!(output.status.signal(), Some(2), "{output:?}");
}

#[test]
fn methods_go_on_in_both_processes_of_a_fork() {
    let simulator = simulator(WORKS).with_method("works");
    RunOutput::of(&mut simulator.command(&["forked"]));
    RunOutput::of(&mut simulator.command(&["forked_untold"]));
}

#[test]
fn methods_go_on_in_snapshots_and_runs() {
    let simulator = simulator(WORKS).with_method("works");
    RunOutput::of(&mut simulator.command(&["copied"]));
}

/// Python function that is true if a write to a broken pipe raises an error.
const BROKEN: &str = "
def broken():
    reader, writer = os.pipe()
    os.close(reader)
    try:
        os.write(writer, b'text')
    except BrokenPipeError:
        return True
";

#[test]
fn a_broken_pipe_is_an_error_in_python() {
    let simulator = simulator(
        &[
            BROKEN,
            "@register_callback
async def works(channel):
    found = [broken()]
    thread = threading.Thread(target=lambda: found.append(broken()))
    thread.start()
    thread.join()
    return 0 if found == [True, True] else 1
",
        ]
        .concat(),
    )
    .with_method("works");
    RunOutput::of(&mut simulator.command(&["calls"]));
}

#[test]
fn lines_are_in_the_order_of_events() {
    let simulator = simulator(
        "
@register_callback
async def prints(channel, number):
    print(number, 'python')
    print(number, 'begun', end=' ')
    sys.stdout.buffer.write(b'bytes\\n')
    assert sys.stdout.fileno() == 1 and not sys.stdout.isatty()
    os.set_inheritable(1, True)
    child = os.fork()
    if child == 0:
        sys.stdout.flush()
        os._exit(0)
    os.waitpid(child, 0)
    return 1
",
    )
    .with_method("prints");
    let printed = RunOutput::of(&mut simulator.command(&["order"]));
    let wanted: String = (0..3)
        .map(|i| format!("{i} before\n{i} python\n{i} begun bytes\n{i} after\n[core0] firmware\n"))
        .collect();
    assert_eq!(printed.stdout, wanted);
}

#[test]
fn text_is_utf8_where_it_is_in_python3() {
    let simulator = simulator(
        "
@register_callback
async def prints(channel):
    try:
        print('Größe ✓')
    except UnicodeEncodeError:
        return 3
    assert sys.getfilesystemencoding() == 'utf-8'
    return sys.flags.utf8_mode
",
    )
    .with_method("prints");
    for (locale, mode, status) in [
        ("C", None, 1),
        ("POSIX", None, 1),
        ("C.UTF-8", None, 1),
        ("C", Some("1"), 1),
        ("C", Some("0"), 3),
        // Python raises its own error, and the process does not end.
        ("C", Some("2"), 251),
    ] {
        let mut run = simulator.command(&["calls"]);
        run.env("LC_ALL", locale);
        if let Some(mode) = mode {
            run.env("PYTHONUTF8", mode);
        }
        let output = run.output().unwrap();
        assert_eq!(
            output.status.code(),
            Some(status),
            "{locale} {mode:?}: {output:?}"
        );
        let stdout = String::from_utf8(output.stdout).unwrap();
        assert_eq!(stdout.contains("Größe ✓\n"), status == 1, "{stdout}");
    }
}

/// Streams have the same encoding and error handler as in `python3` with the same environment.
#[test]
fn encodings_of_streams_are_those_of_python3() {
    const TELL: &str =
        "streams = [(s.encoding.lower(), s.errors) for s in (sys.stdin, sys.stdout, sys.stderr)]
print(streams, sys.flags.utf8_mode, sys.getfilesystemencoding())
";
    let tell = TELL.trim_end().replace('\n', "\n    ");
    let callbacks =
        format!("@register_callback\nasync def tells(channel):\n    {tell}\n    return 0\n");
    let simulator = simulator(&callbacks).with_method("tells");
    let environments: [&[(&str, &str)]; 7] = [
        &[],
        &[("PYTHONUTF8", "0")],
        &[("PYTHONUTF8", "1")],
        &[("PYTHONIOENCODING", "latin-1")],
        &[("PYTHONIOENCODING", ":backslashreplace")],
        &[("PYTHONUTF8", "0"), ("PYTHONIOENCODING", "utf-8:strict")],
        &[("PYTHONUTF8", "1"), ("PYTHONIOENCODING", "ascii:replace")],
    ];
    for variables in environments {
        let variables = || [("LC_ALL", "C")].iter().chain(variables).copied();
        let mut python = Command::new("python3");
        python.args(["-c", &format!("import sys\n{TELL}")]);
        let Ok(wanted) = python.envs(variables()).output() else {
            eprintln!("skipped: encodings_of_streams_are_those_of_python3: not found: python3");
            return;
        };
        let wanted = String::from_utf8(wanted.stdout).unwrap();
        let output = simulator
            .command(&["calls"])
            .envs(variables())
            .output()
            .unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        assert!(
            printed.contains(&wanted),
            "{:?}: {printed}\nwanted: {wanted}",
            variables().collect::<Vec<_>>()
        );
    }
}

/// Ways in which Python starts a program, and the resulting states of `SIGPIPE` and `SIGXFSZ`:
/// blocked, ignored.
const STARTS: &str = r#"
import asyncio, multiprocessing, os, subprocess, sys

SEE = ['sh', '-c', 'grep -E "Sig(Blk|Ign)" /proc/self/status']

def both(words):
    return [int(word, 16) & 0x1001000 for word in words.split()[1::2]]

def read(start):
    reader, writer = os.pipe()
    start(writer)
    os.close(writer)
    with open(reader) as text:
        return both(text.read())

def system(writer):
    os.set_inheritable(writer, True)
    assert os.system(f'{SEE[2]} >/proc/self/fd/{writer}') == 0

def spawn(writer):
    actions = [(os.POSIX_SPAWN_DUP2, writer, 1)]
    os.waitpid(os.posix_spawnp('sh', SEE, os.environ, file_actions=actions), 0)

def fork(writer):
    child = os.fork()
    if child == 0:
        os.dup2(writer, 1)
        os.execvp('sh', SEE)
    os.waitpid(child, 0)

def run(**options):
    return lambda writer: subprocess.run(SEE, stdout=writer, check=True, **options)

def find():
    return {
        'run': read(run()),
        'preexec': read(run(preexec_fn=os.getpid)),
        'fork': read(fork),
        'system': read(system),
        'spawn': read(spawn),
    }
"#;

#[test]
fn programs_that_callbacks_start_have_the_environment_of_python3() {
    let simulator = simulator(
        &[
            BROKEN,
            "
import starts

def forked():
    child = os.fork()
    if child == 0:
        os._exit(0 if broken() else 1)
    return os.waitpid(child, 0)[1] == 0

@register_callback
async def works(channel):
    found = [broken()]
    print(starts.find())
    thread = threading.Thread(target=lambda: print('on a thread', starts.find(), broken()))
    thread.start()
    thread.join()
    ends = starts.subprocess.run(['sh', '-c', 'while :; do echo y; done | head -1'], timeout=20, capture_output=True)
    return 0 if ends.stdout == b'y\\n' and broken() and forked() else 1
",
        ]
        .concat(),
    )
    .with_method("works");
    fs::write(simulator.file("starts.py"), STARTS).unwrap();
    let mut python = Command::new("python3");
    python.args(["-c", "import starts; print(starts.find())"]);
    let Ok(wanted) = python.current_dir(simulator.file("")).output() else {
        eprintln!(
            "skipped: programs_that_callbacks_start_have_the_environment_of_python3: not found: python3"
        );
        return;
    };
    let wanted = String::from_utf8(wanted.stdout).unwrap();
    // If python3 ignores a signal and the simulator does not, the simulator's state is expected.
    let wanted = wanted
        .replace("'system': [0, 16781312]", "'system': [0, 0]")
        .replace("'spawn': [0, 16781312]", "'spawn': [0, 0]");
    let wanted = wanted.trim_end();
    assert!(wanted.starts_with("{'run': [0, 0], "), "{wanted}");
    let printed = RunOutput::of(&mut simulator.command(&["calls"]));
    assert!(
        printed.stdout.contains(&format!("{wanted}\n")),
        "{}\nwanted: {wanted}",
        printed.stdout
    );
    let on_a_thread = format!("on a thread {wanted} True\n");
    assert!(
        printed.stdout.contains(&on_a_thread),
        "{}\nwanted: {wanted}",
        printed.stdout
    );
}

/// The process exits at once: neither function returns.
#[test]
fn a_callback_quits() {
    for (act, status) in [
        ("__import__('ctypes').CDLL(None).mb_quit(43)", 43),
        // A handler of the simulator ends the process.
        ("os.kill(os.getpid(), signal.SIGALRM)", 44),
    ] {
        let callbacks = format!(
            "
@register_callback
async def quits(channel):
    await asyncio.sleep(0)
    {act}
    os._exit(9)
"
        );
        let simulator = simulator(&callbacks).with_method("quits");
        let output = simulator
            .command(&["calls"])
            .env("VHOST_TRACE", "run.trace")
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(status), "{act}: {output:?}");
        crate::replays(&simulator.file("run.trace"));
    }
}

#[test]
fn threads_that_a_child_does_not_have_are_named_and_others_take_their_place() {
    let simulator = simulator(
        "
@register_callback
async def works(channel):
    done = threading.Event()
    waits = asyncio.get_running_loop().run_in_executor(None, done.set)
    if not done.wait(10):
        return 2
    await waits
    return 1
",
    )
    .with_method("works");
    RunOutput::of(&mut simulator.command(&["forked_threads"]));
}

#[test]
fn a_child_that_a_callback_forks_can_not_use_the_system() {
    let simulator = simulator(
        "
import vhost

def refused():
    child = os.fork()
    if child == 0:
        for act in (
            lambda: vhost.read_u32('core0', 0),
            lambda: vhost.write_u32('core0', 0, 1),
            lambda: vhost.get_space('core0'),
        ):
            try:
                act()
                os._exit(1)
            except vhost.Error as error:
                if 'stays with the parent process' not in str(error):
                    os._exit(2)
        os._exit(0)
    return os.waitpid(child, 0)[1]

@register_callback
async def works(channel):
    found = [refused()]
    thread = threading.Thread(target=lambda: found.append(refused()))
    thread.start()
    thread.join()
    assert vhost.get_space('core0') == 'core0'
    return 0 if found == [0, 0] else 1
",
    )
    .with_method("works");
    RunOutput::of(&mut simulator.command(&["calls"]));
}
