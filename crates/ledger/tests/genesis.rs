//! What can begin a channel.

mod common;

use common::market::{Who, genesis};
use duet_ledger::{Genesis, GenesisError, OrganisationId, Role, Roles, State};
use duet_units::{EmissionFactor, Power, Price};

fn refused(change: impl Fn(&mut Genesis)) -> GenesisError {
    let mut genesis = genesis();
    change(&mut genesis);
    let error = genesis.check().unwrap_err();
    assert_eq!(State::genesis(&genesis).unwrap_err(), error);
    let nothing: [(&[u8], &[u8]); 0] = [];
    assert!(State::restore(&genesis, nothing).is_err());
    error
}

#[test]
fn a_genesis_that_contradicts_itself_begins_no_channel() {
    assert_eq!(genesis().check(), Ok(()));
    assert_eq!(refused(|g| g.validators.clear()), GenesisError::Validators);
    assert_eq!(refused(|g| g.validators[0].key = g.validators[1].key), GenesisError::Validators);
    let organisation = OrganisationId(9);
    assert_eq!(
        refused(|g| g.units[2].owner = organisation),
        GenesisError::UnknownOrganisation { field: "unit", index: 2, organisation }
    );
    assert_eq!(
        refused(|g| g.identities[3].identity.organisation = organisation),
        GenesisError::UnknownOrganisation { field: "identity", index: 3, organisation }
    );
    assert_eq!(
        refused(|g| g.identities[4].key = g.identities[0].key),
        GenesisError::DuplicateKey { index: 4 }
    );
    let bank = Roles::of(&[Role::Bank]);
    assert_eq!(
        refused(|g| g.identities[5].identity.roles = bank),
        GenesisError::RoleNotUnique(Role::Bank)
    );
    assert_eq!(
        refused(|g| g.identities[0].identity.roles = Roles::default()),
        GenesisError::RoleNotUnique(Role::Exchange)
    );
}

#[test]
fn units_and_names_have_limits() {
    let unit = |field| GenesisError::UnitOutOfRange { index: 0, field };
    for kw in [-1, i64::MIN, i64::MAX] {
        assert_eq!(refused(|g| g.units[0].capacity = Power::from_kw(kw)), unit("capacity"));
    }
    assert_eq!(refused(|g| g.units[0].registered_cost = Price::MAX), unit("registered cost"));
    let factor = EmissionFactor::MAX;
    assert_eq!(refused(|g| g.units[0].emission_factor = factor), unit("emission factor"));
    assert_eq!(refused(|g| g.units[0].benchmark = factor), unit("benchmark"));
    let long = "x".repeat(257);
    assert_eq!(
        refused(|g| g.units[1].name = long.clone()),
        GenesisError::TextTooLong { field: "unit", index: 1 }
    );
    assert_eq!(
        refused(|g| g.organisations[0].name_zh = long.clone()),
        GenesisError::TextTooLong { field: "organisation", index: 0 }
    );
    assert_eq!(
        refused(|g| g.identities[7].identity.label = long.clone()),
        GenesisError::TextTooLong { field: "identity", index: 7 }
    );
}

#[test]
fn any_change_makes_another_channel() {
    let channel = genesis().channel();
    let changed = |change: &dyn Fn(&mut Genesis)| {
        let mut genesis = genesis();
        change(&mut genesis);
        genesis.channel()
    };
    assert_eq!(changed(&|_| ()), channel);
    assert_ne!(changed(&|g| g.name.push('x')), channel);
    assert_ne!(changed(&|g| g.time = g.time.plus_ms(1)), channel);
    assert_ne!(changed(&|g| g.validators[0].key = Who::Coal.public()), channel);
    assert_ne!(changed(&|g| g.units[0].capacity = Power::from_kw(1)), channel);
}
