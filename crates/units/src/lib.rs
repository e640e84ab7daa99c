//! Exact integers with units: energy, price, money, emissions, allowances, delivery periods.
