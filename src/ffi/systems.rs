//! Systems of the process by number: the first one, and further ones.
//!
//! Each system has a state of its own ([`SystemState`]). A further one is opened by its handle, or
//! for a DPI scope. When it is closed, its number and its state are used again. The state is never
//! freed, because a call in progress may refer to it.

use std::cell::RefCell;

use super::error::Error;
use super::fork::FORKS;
use super::system_state::{FIRST_SYSTEM_STATE, SystemState};
use crate::config::vhost_variables::SYSTEMS;
use crate::mem::clear_static_mems;
use crate::sim::attention::{self, Cause};
use crate::sim::current_system::{
    NUMBERS, SystemId, current, during, select, selected, set_current,
};
use crate::sim::scope::{self, CallerScope};
use crate::sim::strand::{Entered, StrandCell};
use crate::sim::{FIRST_SYSTEM, call_timeout, set_system_name};

/// Further systems, by number from 1.
static FURTHER: StrandCell<RefCell<Vec<Further>>> = StrandCell::new(RefCell::new(Vec::new()));

/// Further system, or an unused number.
struct Further {
    system_state: &'static SystemState,
    name: String,
    id: SystemId,
    is_open: bool,
    /// DPI scope for which the system was opened.
    scope: Option<CallerScope>,
}

/// Maximum length of a system's name, in bytes.
const MAX_NAME_LEN: usize = 200;

/// Returns the current system.
#[inline]
pub(super) fn system_state(strand: &Entered) -> &SystemState {
    match current().number() {
        0 => FIRST_SYSTEM_STATE.get(strand),
        number => process_of(strand, number),
    }
}

#[cold]
fn process_of(strand: &Entered, number: usize) -> &SystemState {
    let further = FURTHER.get(strand).borrow();
    let found = further.get(number - 1).map(|further| further.system_state);
    found.unwrap_or_else(|| FIRST_SYSTEM_STATE.get(strand))
}

/// Runs `act` for each open system. Returns the first error after the last system.
pub(super) fn each(
    strand: &Entered,
    mut act: impl FnMut(&SystemState) -> Result<(), Error>,
) -> Result<(), Error> {
    // `act` may re-enter this function.
    let open = open_systems(strand);
    let first = during(SystemId::FIRST, || act(FIRST_SYSTEM_STATE.get(strand)));
    let all = open
        .into_iter()
        .map(|(id, system_state)| during(id, || act(system_state)));
    all.fold(first, Result::and)
}

/// Further systems that are open.
fn open_systems(strand: &Entered) -> Vec<(SystemId, &'static SystemState)> {
    let further = FURTHER.get(strand).borrow();
    let open = further.iter().filter(|further| further.is_open);
    open.map(|further| (further.id, further.system_state))
        .collect()
}

/// System with a number; `None` if it was closed.
pub(super) fn of_number(strand: &Entered, number: usize) -> Option<SystemId> {
    let Some(at) = number.checked_sub(1) else {
        return Some(SystemId::FIRST);
    };
    let further = FURTHER.get(strand).borrow();
    let found = further.get(at).filter(|further| further.is_open);
    found.map(|further| further.id)
}

/// True unless the system was closed.
pub(super) fn is_open(strand: &Entered, id: SystemId) -> bool {
    if id == SystemId::FIRST {
        return true;
    }
    let further = FURTHER.get(strand).borrow();
    let found = id.number().checked_sub(1).and_then(|at| further.get(at));
    found.is_some_and(|further| further.is_open && further.id == id)
}

/// Selects the system of a call: that of the caller's scope, else the first open one of the
/// selected ones.
#[cold]
pub(super) fn begin_call(strand: &Entered, selected: [SystemId; 2]) {
    if !attention::is_raised(Cause::Systems) {
        return;
    }
    let selected = selected.into_iter().find(|id| is_open(strand, *id));
    let id = of_callers_scope(strand).or(selected);
    set_current(id.unwrap_or(SystemId::FIRST));
    scope::begin_other_system();
}

/// System that was opened for the caller's scope, or for a scope around it.
fn of_callers_scope(strand: &Entered) -> Option<SystemId> {
    let further = FURTHER.get(strand).borrow();
    let bound = further
        .iter()
        .filter_map(|further| Some((further.scope.as_ref()?, further.id)));
    let mut any = bound.clone();
    any.next()?;
    let caller = scope::of_caller()?;
    if let Some((_, id)) = bound.clone().find(|(scope, _)| **scope == caller) {
        return Some(id);
    }
    let around = |outer: &str| {
        let rest = caller.name.strip_prefix(outer);
        rest.is_some_and(|rest| rest.starts_with('.'))
    };
    let longest = bound.clone().filter(|(scope, _)| around(&scope.name));
    let (scope, id) = longest.max_by_key(|(scope, _)| scope.name.len())?;
    // Two models may have scopes of the same name, which only differ in their addresses.
    let same = bound.filter(|(other, _)| other.name == scope.name).count();
    (same == 1).then_some(id)
}

/// Opens a system.
pub(super) fn open(strand: &Entered, name: &str) -> Result<SystemId, Error> {
    check_name(name)?;
    if find(strand, name).is_some() {
        return Err(Error::SystemNameTaken(name.to_owned()));
    }
    take_number(strand, name, None)
}

/// Open system with this name.
fn find(strand: &Entered, name: &str) -> Option<SystemId> {
    if name == FIRST_SYSTEM {
        return Some(SystemId::FIRST);
    }
    let further = FURTHER.get(strand).borrow();
    let found = further
        .iter()
        .find(|further| further.is_open && further.name == name);
    found.map(|further| further.id)
}

fn check_name(name: &str) -> Result<(), Error> {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.[]".contains(&byte);
    let begins = |first: u8| first.is_ascii_alphanumeric() || first == b'_';
    if name.len() <= MAX_NAME_LEN
        && name.bytes().all(known)
        && name.bytes().next().is_some_and(begins)
    {
        return Ok(());
    }
    Err(Error::SystemName(name.chars().take(MAX_NAME_LEN).collect()))
}

/// Assigns the first unused number to a name.
fn take_number(
    strand: &Entered,
    name: &str,
    scope: Option<CallerScope>,
) -> Result<SystemId, Error> {
    let mut further = FURTHER.get(strand).borrow_mut();
    let free = further.iter().position(|further| !further.is_open);
    let at = free.unwrap_or(further.len());
    if at + 1 >= NUMBERS {
        return Err(Error::TooManySystems);
    }
    let place = match further.get_mut(at) {
        Some(place) => place,
        None => {
            further.push(Further {
                system_state: Box::leak(Box::new(SystemState::new())),
                name: String::new(),
                id: SystemId::further(at + 1, 0),
                is_open: false,
                scope: None,
            });
            &mut further[at]
        }
    };
    place.id = place.id.next();
    name.clone_into(&mut place.name);
    place.is_open = true;
    place.scope = scope;
    place.system_state.returned.begin();
    let id = place.id;
    drop(further);
    during(id, || set_system_name(name));
    attention::raise(Cause::Systems);
    Ok(id)
}

/// Refuses a system that was closed.
pub(super) fn check(strand: &Entered, id: SystemId) -> Result<(), Error> {
    match is_open(strand, id) {
        true => Ok(()),
        false => Err(Error::NoSystem(id.bits())),
    }
}

/// Shuts a further system down, and invalidates its handle.
pub(super) fn close(strand: &Entered, id: SystemId) -> Result<(), Error> {
    if id == SystemId::FIRST || !is_open(strand, id) {
        return Err(Error::NoSystem(id.bits()));
    }
    let stopped = during(id, || {
        system_state(strand).reject_reentrant()?;
        let stopped = stop(strand);
        if !matches!(stopped, Err(Error::Busy | Error::Reentrant)) {
            clear_static_mems();
        }
        stopped
    });
    if matches!(stopped, Err(Error::Busy | Error::Reentrant)) {
        return stopped;
    }
    let mut further = FURTHER.get(strand).borrow_mut();
    if let Some(place) = further.get_mut(id.number() - 1) {
        place.is_open = false;
        place.scope = None;
    }
    if selected() == id {
        select(SystemId::FIRST);
    }
    if current() == id {
        set_current(SystemId::FIRST);
    }
    if !further.iter().any(|further| further.is_open) {
        set_current(SystemId::FIRST);
        select(SystemId::FIRST);
        attention::lower(Cause::Systems);
    }
    stopped
}

/// Shuts down the current system.
pub(super) fn stop(strand: &Entered) -> Result<(), Error> {
    let stopped = system_state(strand).stop();
    if !matches!(stopped, Err(Error::Busy | Error::Reentrant)) {
        FORKS.get(strand).end_snapshots_of_current();
        if !is_any_running(strand) {
            call_timeout::stop();
        }
    }
    stopped
}

/// Shuts down each system.
pub(super) fn stop_all(strand: &Entered) -> Result<(), Error> {
    each(strand, |_| stop(strand))
}

fn is_any_running(strand: &Entered) -> bool {
    let further = FURTHER.get(strand).borrow();
    FIRST_SYSTEM_STATE.get(strand).is_running()
        || further
            .iter()
            .any(|further| further.is_open && further.system_state.is_running())
}

/// Selects the system of the caller's scope before `mb_init`, if the environment asks for a system
/// for each scope.
pub(super) fn adopt_scope(strand: &Entered) -> Result<(), Error> {
    let Some(value) = SYSTEMS.value() else {
        return Ok(());
    };
    match value.to_str() {
        Some("one") => Ok(()),
        Some("scope") => {
            if let Some(caller) = scope::of_caller_of_init() {
                set_current(of_scope(strand, caller)?);
            }
            Ok(())
        }
        _ => Err(Error::SystemsVariable(value.to_string_lossy().into_owned())),
    }
}

/// System of a DPI scope, which is opened if there is none.
pub(super) fn of_scope(strand: &Entered, caller: CallerScope) -> Result<SystemId, Error> {
    let mut further = FURTHER.get(strand).borrow_mut();
    let same = |place: &&Further| place.is_open && place.scope.as_ref() == Some(&caller);
    if let Some(place) = further.iter().find(same) {
        return Ok(place.id);
    }
    // The model was deleted and constructed again. Its system is shut down, or ends at its next
    // start.
    let over = |further: &&mut Further| {
        let same = |scope: &CallerScope| scope.name == caller.name && scope.may_be_deleted();
        further.is_open
            && further.scope.as_ref().is_some_and(same)
            && (!further.system_state.is_running() || during(further.id, scope::simulation_is_over))
    };
    if let Some(place) = further.iter_mut().find(over) {
        place.scope = Some(caller);
        return Ok(place.id);
    }
    drop(further);
    let name = name_of_scope(strand, &caller.name);
    take_number(strand, &name, Some(caller))
}

/// Unused name for the system of a scope.
fn name_of_scope(strand: &Entered, scope: &str) -> String {
    let kept = |c: char| c.is_ascii_alphanumeric() || "_-.[]".contains(c);
    let name: String = scope
        .chars()
        .map(|c| if kept(c) { c } else { '_' })
        .take(MAX_NAME_LEN - 8)
        .collect();
    let name = match check_name(&name) {
        Ok(()) => name,
        Err(_) => format!("_{name}"),
    };
    let numbered = (2..).map(|number| format!("{name}-{number}"));
    let mut names = std::iter::once(name.clone()).chain(numbered);
    let free = names.find(|name| find(strand, name).is_none());
    free.unwrap_or(name)
}

/// Name of the current system.
pub(super) fn name(strand: &Entered) -> String {
    let further = FURTHER.get(strand).borrow();
    let number = current().number().checked_sub(1);
    let found = number.and_then(|at| further.get(at));
    found.map_or(FIRST_SYSTEM.to_owned(), |further| further.name.clone())
}
