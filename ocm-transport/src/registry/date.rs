//! Dates as servers write them, as seconds since 1970: only differences between two of the same
//! server's are ever used, so that its clock need not agree with ours.

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Reads `Sun, 06 Nov 1994 08:49:37 GMT`.
///
/// Source: <https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7>.
pub(crate) fn http(text: &str) -> Option<i64> {
    let (_weekday, rest) = text.trim().split_once(", ")?;
    let mut fields = rest.split(' ');
    let mut next = || fields.next();
    let (day, month, year, time) = (next()?, next()?, next()?, next()?);
    let month = MONTHS.iter().zip(1..).find_map(|(name, n)| (*name == month).then_some(n))?;
    if next() != Some("GMT") {
        return None;
    }
    Some(days(number(year)?, month, number(day)?)? * 86_400 + seconds(time)?)
}

/// Reads `1994-11-06T08:49:37.5Z`, or with an offset such as `+01:00`.
///
/// Source: <https://www.rfc-editor.org/rfc/rfc3339#section-5.6>.
pub(crate) fn rfc3339(text: &str) -> Option<i64> {
    let (date, time) = text.trim().split_once(['T', 't', ' '])?;
    let mut fields = date.splitn(3, '-');
    let mut next = || fields.next().and_then(number);
    let days = days(next()?, next()?, next()?)?;
    let (time, offset) = match time.strip_suffix(['Z', 'z']) {
        Some(time) => (time, 0),
        None => split_offset(time)?,
    };
    let whole = time.split_once('.').map_or(time, |(whole, _fraction)| whole);
    Some(days * 86_400 + seconds(whole)? - offset)
}

/// Splits `08:49:37+01:00` into time and seconds east of Greenwich.
fn split_offset(time: &str) -> Option<(&str, i64)> {
    let (time, offset) = time.split_at_checked(time.rfind(['+', '-'])?)?;
    let sign = if offset.starts_with('-') { -1 } else { 1 };
    let (hours, minutes) = offset.trim_start_matches(['+', '-']).split_once(':')?;
    Some((time, sign * (number(hours)? * 3600 + number(minutes)? * 60)))
}

/// Reads `08:49:37`.
fn seconds(time: &str) -> Option<i64> {
    let mut fields = time.splitn(3, ':').map(number);
    let mut next = || fields.next().flatten();
    let (hours, minutes, seconds) = (next()?, next()?, next()?);
    (hours < 24 && minutes < 60 && seconds <= 60).then_some(hours * 3600 + minutes * 60 + seconds)
}

/// Reads digits only: no sign, no space.
fn number(text: &str) -> Option<i64> {
    let is_number = (1..=4).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

/// Counts days since 1970 in the Gregorian calendar, by years that begin in March so that the
/// leap day comes last.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    Some(
        365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year
            - 719_468,
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_dates() {
        let table = [
            ("Thu, 01 Jan 1970 00:00:00 GMT", "1970-01-01T00:00:00Z", 0),
            ("Sun, 06 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37Z", 784_111_777),
            ("Tue, 29 Feb 2000 23:59:59 GMT", "2000-03-01T00:59:59.9+01:00", 951_868_799),
            ("Sat, 21 Nov 2026 12:00:00 GMT", "2026-11-21t11:30:00.123456789-00:30", 1_795_262_400),
        ];
        for (sent, issued, expected) in table {
            assert_eq!(http(sent), Some(expected), "{sent}");
            assert_eq!(rfc3339(issued), Some(expected), "{issued}");
        }
    }

    #[test]
    fn refuses_what_is_no_date() {
        for text in ["", "120", "Sun, 06 Foo 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37"] {
            assert_eq!(http(text), None, "{text}");
        }
        for text in ["", "1994-11-06", "1994-13-06T08:49:37Z", "1994-11-06T25:49:37Z", "-1-1-1T1Z"]
        {
            assert_eq!(rfc3339(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,40}") {
            prop_assert!(http(&text).is_none_or(|_| text.contains("GMT")));
            prop_assert!(rfc3339(&text).is_none_or(|_| text.contains('-')));
        }

        #[test]
        fn days_count_up(year in 1970_i64..3000, month in 1_i64..=12, day in 1_i64..=27) {
            prop_assert_eq!(days(year, month, day + 1), days(year, month, day).map(|n| n + 1));
            prop_assert_eq!(days(year + 400, month, day), days(year, month, day).map(|n| n + 146_097));
        }
    }
}
