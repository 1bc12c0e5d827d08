//! Tables as people read them.

/// Returns a line for each row, with the cells of a column one below the other.
pub(crate) fn lines<const COLUMNS: usize>(rows: &[[String; COLUMNS]]) -> Vec<String> {
    let mut widths = [0; COLUMNS];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let line = |row: &[String; COLUMNS]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_stand_below_one_another() {
        let rows = [["a", "bcd", ""], ["äöü", "", "e"]].map(|row| row.map(str::to_owned));
        assert_eq!(lines(&rows), ["a    bcd", "äöü       e"]);
        assert_eq!(lines::<2>(&[]), [""; 0]);
    }
}
