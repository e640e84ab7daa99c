//! The simplex method in exact fractions: a linear program solved without the market's ideas.

use std::cmp::Ordering;

/// A fraction in lowest terms with a positive denominator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fraction {
    numerator: i128,
    denominator: i128,
}

impl Fraction {
    pub(crate) const ZERO: Self = Self::whole(0);

    pub(crate) const fn whole(number: i128) -> Self {
        Self { numerator: number, denominator: 1 }
    }

    fn new(numerator: i128, denominator: i128) -> Self {
        let (mut a, mut b) = (numerator.abs(), denominator.abs());
        while b != 0 {
            (a, b) = (b, a % b);
        }
        let divisor = a.max(1) * denominator.signum();
        Self { numerator: numerator / divisor, denominator: denominator / divisor }
    }

    fn minus(self, other: Self) -> Self {
        let numerator = self.numerator * other.denominator - other.numerator * self.denominator;
        Self::new(numerator, self.denominator * other.denominator)
    }

    fn times(self, other: Self) -> Self {
        Self::new(self.numerator * other.numerator, self.denominator * other.denominator)
    }

    fn over(self, other: Self) -> Self {
        Self::new(self.numerator * other.denominator, self.denominator * other.numerator)
    }

    fn is_positive(self) -> bool {
        0 < self.numerator
    }
}

impl PartialOrd for Fraction {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Fraction {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.numerator * other.denominator).cmp(&(other.numerator * self.denominator))
    }
}

/// Maximises `objective * x` subject to `row * x <= bound` for every row and `0 <= x`. No bound
/// may be negative, so that nothing at all is a solution to start from; none may be missing, so
/// that the best is finite. Takes the first column that gains and the first row that binds (Bland),
/// so it never goes round in circles.
pub(crate) fn maximum(objective: &[i128], rows: &[(Vec<i128>, i128)]) -> Fraction {
    let width = objective.len() + rows.len();
    let fraction = |numbers: &[i128]| numbers.iter().copied().map(Fraction::whole).collect();
    // Each row with its slack, its bound last; the objective as the last row, to be brought to
    // where no entry is positive.
    let mut table: Vec<Vec<Fraction>> = Vec::new();
    for (index, (row, bound)) in rows.iter().enumerate() {
        assert!(0 <= *bound && row.len() == objective.len());
        let mut line: Vec<Fraction> = fraction(row);
        line.resize(width, Fraction::ZERO);
        line[objective.len() + index] = Fraction::whole(1);
        line.push(Fraction::whole(*bound));
        table.push(line);
    }
    let mut last: Vec<Fraction> = fraction(objective);
    last.resize(width + 1, Fraction::ZERO);
    table.push(last);
    let mut basis: Vec<usize> = (objective.len()..width).collect();
    while let Some(column) = (0..width).find(|column| table[rows.len()][*column].is_positive()) {
        let binding = (0..rows.len()).filter(|row| table[*row][column].is_positive());
        let ratio = |row: usize| table[row][width].over(table[row][column]);
        let row = binding.min_by_key(|row| (ratio(*row), basis[*row])).expect("a finite best");
        pivot(&mut table, row, column);
        basis[row] = column;
    }
    Fraction::ZERO.minus(table[rows.len()][width])
}

fn pivot(table: &mut [Vec<Fraction>], row: usize, column: usize) {
    let by = table[row][column];
    table[row].iter_mut().for_each(|entry| *entry = entry.over(by));
    let pivot_row = table[row].clone();
    for (_, line) in table.iter_mut().enumerate().filter(|(index, _)| *index != row) {
        let factor = line[column];
        for (entry, of_pivot) in line.iter_mut().zip(&pivot_row) {
            *entry = entry.minus(factor.times(*of_pivot));
        }
    }
}

#[test]
fn a_small_program_is_solved_exactly() {
    // x + 2y with x + y <= 4, 2x + y <= 5, 3y <= 8: y = 8/3, x = 7/6.
    let rows = [(vec![1, 1], 4), (vec![2, 1], 5), (vec![0, 3], 8)];
    assert_eq!(maximum(&[1, 2], &rows), Fraction::new(13, 2));
    assert_eq!(maximum(&[-1], &[(vec![1], 3)]), Fraction::ZERO);
}
