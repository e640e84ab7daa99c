//! The files of a scenario as they are written, before any check.
//!
//! Each struct denies unknown fields: a misspelt parameter must not silently keep its default,
//! and there are no defaults.

use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScenarioFile {
    pub(crate) name: String,
    pub(crate) seed: u64,
    pub(crate) market: MarketFile,
    pub(crate) coal: CoalFile,
    pub(crate) renewable: Vec<RenewableFile>,
    pub(crate) consumer: Vec<ConsumerFile>,
    pub(crate) demand: DemandFile,
    pub(crate) cash: CashFile,
    pub(crate) metering: MeteringFile,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MarketFile {
    pub(crate) floor_milli_yuan_per_mwh: i64,
    pub(crate) ceiling_milli_yuan_per_mwh: i64,
    pub(crate) tick_milli_yuan_per_mwh: i64,
    pub(crate) lot_kwh: i64,
    pub(crate) carbon_price_fen_per_t: i64,
    pub(crate) compensation_cap_milli_yuan_per_mwh: i64,
    pub(crate) fund_share_bp: i64,
    pub(crate) rationing: RationingFile,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RationingFile {
    ProRata,
    Time,
    GreenFirst,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CoalFile {
    pub(crate) price_fen_per_t: i64,
    pub(crate) heating_value_kcal_per_kg: i64,
    pub(crate) variable_om_milli_yuan_per_mwh: i64,
    pub(crate) calibration_bp: i64,
    pub(crate) benchmark_g_per_kwh: BenchmarkFile,
    pub(crate) offers: OffersFile,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BenchmarkFile {
    #[serde(rename = "I")]
    pub(crate) class_1: i64,
    #[serde(rename = "II")]
    pub(crate) class_2: i64,
    #[serde(rename = "III")]
    pub(crate) class_3: i64,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OffersFile {
    pub(crate) availability_bp_min: i64,
    pub(crate) segment_step_bp: i64,
    pub(crate) markdown_bp_max: i64,
    pub(crate) preissue_hours: i64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RenewableFile {
    pub(crate) member: String,
    pub(crate) name_zh: String,
    pub(crate) technology: RenewableTechnology,
    pub(crate) capacity_mw: i64,
    pub(crate) shape: String,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RenewableTechnology {
    Wind,
    Solar,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConsumerFile {
    pub(crate) member: String,
    pub(crate) name_zh: String,
    pub(crate) role: ConsumerRole,
    pub(crate) base_load_mw: i64,
    pub(crate) opening_cash_yuan: i64,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ConsumerRole {
    Retailer,
    LargeUser,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DemandFile {
    pub(crate) price_noise_milli_yuan_per_mwh: i64,
    pub(crate) volume_noise_bp: i64,
    pub(crate) load_shape: String,
    pub(crate) step: Vec<StepFile>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StepFile {
    pub(crate) share_bp: i64,
    pub(crate) limit_milli_yuan_per_mwh: i64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CashFile {
    pub(crate) generator_yuan_per_mw: i64,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MeteringFile {
    pub(crate) coal_bp: i64,
    pub(crate) wind_bp: i64,
    pub(crate) solar_bp: i64,
    pub(crate) load_bp: i64,
}

/// One row of `plants.csv`: machines of one plant with the same heat rate and class.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlantRow {
    pub(crate) member: String,
    pub(crate) unit: String,
    /// Name in the source; kept for attribution.
    #[serde(rename = "plant")]
    pub(crate) _plant: String,
    pub(crate) name_zh: String,
    #[serde(rename = "prefecture")]
    pub(crate) _prefecture: String,
    #[serde(rename = "machines_mw")]
    pub(crate) _machines_mw: String,
    pub(crate) capacity_mw: i64,
    #[serde(rename = "technology")]
    pub(crate) _technology: String,
    pub(crate) heat_rate_btu_kwh: i64,
    pub(crate) gem_ef_g_kwh: i64,
    pub(crate) benchmark_class: String,
    pub(crate) conductivity_bp: i64,
    pub(crate) segments: u8,
}

/// One row of `load_shapes.csv`, in thousandths of the base load.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LoadRow {
    pub(crate) hour: u8,
    pub(crate) workday: i64,
    pub(crate) weekend: i64,
}
