//! What the API says about the allowance market and compliance.

use super::{Client, ClientError};
use crate::wire::{
    CarbonAccountDetail, CarbonBidding, CarbonDeal, CarbonMarket, CreditLot, GapForecast,
    Obligation, Page,
};

impl Client {
    /// The allowance market with its book.
    ///
    /// # Errors
    ///
    /// As [`Client::status`]; a problem `not-found` before its first terms.
    pub async fn carbon_market(&self) -> Result<CarbonMarket, ClientError> {
        self.get("/v1/carbon/market", &()).await
    }

    /// The deals in allowances behind a number.
    ///
    /// # Errors
    ///
    /// As [`Client::status`].
    pub async fn carbon_deals(&self, after: u64) -> Result<Page<CarbonDeal>, ClientError> {
        self.get("/v1/carbon/deals", &[("after", after), ("limit", 1000)]).await
    }

    /// The one-way biddings.
    ///
    /// # Errors
    ///
    /// As [`Client::status`].
    pub async fn carbon_biddings(&self) -> Result<Page<CarbonBidding>, ClientError> {
        self.get("/v1/carbon/biddings", &[("limit", 1000)]).await
    }

    /// The carbon side of an organisation.
    ///
    /// # Errors
    ///
    /// As [`Client::status`].
    pub async fn carbon_account(&self, id: u32) -> Result<CarbonAccountDetail, ClientError> {
        self.get(&format!("/v1/carbon/accounts/{id}"), &()).await
    }

    /// What an organisation owes for a year.
    ///
    /// # Errors
    ///
    /// As [`Client::status`]; a problem `not-found` if nothing was metered or issued.
    pub async fn obligation(&self, year: u16, id: u32) -> Result<Obligation, ClientError> {
        self.get(&format!("/v1/carbon/obligations/{year}/{id}"), &()).await
    }

    /// Where an organisation is heading in a year.
    ///
    /// # Errors
    ///
    /// As [`Client::status`]; a problem `not-found` if nothing was metered.
    pub async fn carbon_gap(&self, year: u16, id: u32) -> Result<GapForecast, ClientError> {
        self.get(&format!("/v1/carbon/gap/{year}/{id}"), &()).await
    }

    /// The runs of carbon credits of an organisation.
    ///
    /// # Errors
    ///
    /// As [`Client::status`].
    pub async fn credits(&self, owner: u32) -> Result<Page<CreditLot>, ClientError> {
        self.get("/v1/carbon/credits", &[("owner", owner), ("limit", 1000)]).await
    }
}
