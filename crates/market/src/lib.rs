//! Pure market functions: auctions, the two-stage game, settlement, carbon, certificates.
