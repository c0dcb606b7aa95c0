//! The district's calendar. A process works for one district, and a district keeps one time zone: what is "today" must be
//! the same to all its services, or an evening's work is refused by one of them as tomorrow's.

use std::sync::OnceLock;

use chrono::{DateTime, NaiveDate, NaiveTime, TimeZone as _, Utc};
pub use chrono_tz::Tz;
use serde::de::{Deserialize as _, Deserializer, Error as _};

static ZONE: OnceLock<Tz> = OnceLock::new();

/// A time zone that cannot be taken.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ZoneError {
    /// No such name.
    #[error("{0:?} is no time zone; give a name of the IANA database such as America/New_York")]
    Unknown(String),
    /// The process has another one already.
    #[error("this process keeps the time of {0} already")]
    Other(Tz),
}

/// The zone of a name such as `America/New_York`.
pub fn named(name: &str) -> Result<Tz, ZoneError> {
    name.parse().map_err(|_| ZoneError::Unknown(name.to_owned()))
}

/// Reads the name of a zone from settings.
pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Tz, D::Error> {
    named(&String::deserialize(from)?).map_err(D::Error::custom)
}

/// Sets the zone, once for the process. The same again is fine.
pub fn set_zone(wanted: Tz) -> Result<(), ZoneError> {
    let set = *ZONE.get_or_init(|| wanted);
    if set == wanted { Ok(()) } else { Err(ZoneError::Other(set)) }
}

/// The zone; UTC where none was set.
pub fn zone() -> Tz {
    ZONE.get().copied().unwrap_or(Tz::UTC)
}

/// The day that it is in the district now.
pub fn today() -> NaiveDate {
    day_of(Utc::now())
}

/// The day that a moment belongs to in the district.
pub fn day_of(at: DateTime<Utc>) -> NaiveDate {
    at.with_timezone(&zone()).date_naive()
}

/// The moment of an hour on a day in a zone. An hour that the clocks skip in spring counts as the hour after; of one that
/// they repeat in autumn, the first counts.
pub fn moment(zone: Tz, day: NaiveDate, time: NaiveTime) -> DateTime<Utc> {
    let local = day.and_time(time);
    zone.from_local_datetime(&local)
        .earliest()
        .or_else(|| zone.from_local_datetime(&(local + chrono::Duration::hours(1))).earliest())
        .map_or_else(|| local.and_utc(), |at| at.to_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_of_a_day_is_found_in_summer_in_winter_and_where_the_clocks_turn() {
        let table = [
            ("2026-10-05", "15:30", "2026-10-05T19:30:00Z"),
            ("2026-12-01", "15:30", "2026-12-01T20:30:00Z"),
            // The clocks skip from 2 to 3 o'clock.
            ("2027-03-14", "02:30", "2027-03-14T07:30:00Z"),
            // They show 1:30 twice.
            ("2026-11-01", "01:30", "2026-11-01T05:30:00Z"),
        ];
        for (day, time, expected) in table {
            let at = moment(Tz::America__New_York, day.parse().unwrap(), NaiveTime::parse_from_str(time, "%H:%M").unwrap());
            assert_eq!(at, expected.parse::<DateTime<Utc>>().unwrap(), "{day} {time}");
        }
    }

    #[test]
    fn a_zone_is_set_once_and_named_as_everybody_names_it() {
        assert_eq!(named("Eastern"), Err(ZoneError::Unknown("Eastern".to_owned())));
        assert_eq!(zone(), Tz::UTC);
        let chicago = named("America/Chicago").unwrap();
        assert_eq!(set_zone(chicago), Ok(()));
        assert_eq!(set_zone(chicago), Ok(()));
        assert_eq!(set_zone(Tz::America__Denver), Err(ZoneError::Other(chicago)));
        // Ten in the evening there is the next day in UTC.
        assert_eq!(day_of("2026-11-28T04:00:00Z".parse().unwrap()), "2026-11-27".parse().unwrap());
    }
}
