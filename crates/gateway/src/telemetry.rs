//! How the gateway stands, as the ledger is told.

use duet_ledger::{ChannelKind, Health, HealthChannel, HealthLevel, Link};
use duet_units::ClockTime;

use crate::board::{self, Channel, Level, Light};
use crate::core::Standing;

/// The health report of a gateway; `board` is what its board shows, with what each channel
/// measures, if it has one.
#[must_use]
pub fn health(
    now: ClockTime,
    standing: &Standing,
    board: Option<(&board::Health, &[Channel])>,
    (light, refused): (Light, bool),
) -> Health {
    let channels = board.map_or_else(Vec::new, |(health, kinds)| {
        let named = health.channels.iter().zip(kinds).take(Health::CHANNELS_MAX);
        named.map(|((name, value, level), kind)| channel(name, *value, *level, *kind)).collect()
    });
    let link = match board.and_then(|(health, _)| health.link) {
        Some(true) => Link::Up,
        Some(false) => Link::Down,
        None => Link::Unknown,
    };
    let alarms = [
        (Health::ALARM_LIMIT, channels.iter().any(|c| c.level == HealthLevel::Alarm)),
        (Health::ALARM_SENSOR, channels.iter().any(|c| c.level == HealthLevel::SensorFault)),
        (Health::ALARM_BACKLOG, standing.backlog.is_alarming()),
        (Health::ALARM_REFUSED, refused),
        (Health::ALARM_STATION, standing.stations_down > 0),
        (Health::ALARM_DISPATCH, !standing.blocked.is_empty()),
    ];
    Health {
        sampled_at: now,
        light: match light {
            Light::Running => duet_ledger::Light::Running,
            Light::Holding => duet_ledger::Light::Holding,
            Light::Alarm => duet_ledger::Light::Alarm,
        },
        link,
        channels,
        stations_up: u16::try_from(standing.stations_up).unwrap_or(u16::MAX),
        stations_down: u16::try_from(standing.stations_down).unwrap_or(u16::MAX),
        backlog: u32::try_from(standing.backlog.readings).unwrap_or(u32::MAX),
        backlog_limit: u32::try_from(standing.backlog.limit).unwrap_or(u32::MAX),
        alarms: alarms.iter().filter(|(_, on)| *on).fold(0, |all, (bit, _)| all | bit),
    }
}

fn channel(name: &str, value: Option<i64>, level: Level, kind: Channel) -> HealthChannel {
    // The point map allows any name; the ledger a short one.
    let mut name = name.to_owned();
    while name.len() > Health::NAME_MAX {
        name.pop();
    }
    HealthChannel {
        name: if name.is_empty() { "-".to_owned() } else { name },
        kind: match kind {
            Channel::Temperature => ChannelKind::Temperature,
            Channel::Voltage => ChannelKind::Voltage,
        },
        value: value.and_then(|value| i32::try_from(value).ok()),
        level: match level {
            Level::Normal => HealthLevel::Normal,
            Level::Warning => HealthLevel::Warning,
            Level::SensorFault => HealthLevel::SensorFault,
            Level::Alarm => HealthLevel::Alarm,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::Counts;
    use crate::outbox::Backlog;

    fn standing() -> Standing {
        Standing {
            counts: Counts::default(),
            backlog: Backlog { readings: 3, limit: 100, turned_away: 0 },
            stations_up: 2,
            stations_down: 0,
            blocked: Vec::new(),
        }
    }

    #[test]
    fn a_gateway_that_runs_has_no_alarm() {
        let board = board::Health {
            channels: vec![("temperature".to_owned(), Some(45_000), Level::Normal)],
            link: Some(true),
        };
        let now = ClockTime::from_unix_ms(5);
        let told = health(
            now,
            &standing(),
            Some((&board, &[Channel::Temperature])),
            (Light::Running, false),
        );
        assert_eq!((told.sampled_at, told.link, told.alarms), (now, Link::Up, 0));
        assert_eq!((told.stations_up, told.backlog, told.backlog_limit), (2, 3, 100));
        assert_eq!(told.channels[0].value, Some(45_000));
        let bare = health(now, &standing(), None, (Light::Running, false));
        assert_eq!((bare.link, bare.channels), (Link::Unknown, vec![]));
    }

    #[test]
    fn each_alarm_has_its_bit() {
        let now = ClockTime::from_unix_ms(5);
        let alarms = |standing: &Standing, level, refused| {
            let channels = vec![("x".repeat(40), Some(i64::MAX), level)];
            let board = board::Health { channels, link: Some(false) };
            let told =
                health(now, standing, Some((&board, &[Channel::Voltage])), (Light::Alarm, refused));
            assert_eq!((told.channels[0].name.len(), told.channels[0].value), (32, None));
            told.alarms
        };
        let normal = standing();
        assert_eq!(alarms(&normal, Level::Alarm, false), Health::ALARM_LIMIT);
        assert_eq!(alarms(&normal, Level::SensorFault, false), Health::ALARM_SENSOR);
        assert_eq!(alarms(&normal, Level::Warning, true), Health::ALARM_REFUSED);
        let down = Standing { stations_down: 1, ..standing() };
        assert_eq!(alarms(&down, Level::Normal, false), Health::ALARM_STATION);
        let blocked = Standing { blocked: vec![(1, "why".to_owned())], ..standing() };
        assert_eq!(alarms(&blocked, Level::Normal, false), Health::ALARM_DISPATCH);
        let full = Backlog { readings: 100, limit: 100, turned_away: 1 };
        let full = Standing { backlog: full, ..standing() };
        assert_eq!(alarms(&full, Level::Normal, false), Health::ALARM_BACKLOG);
    }
}
