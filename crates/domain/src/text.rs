//! Texts that the rules carry but never read.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::collections::BTreeMap;

/// Personal data, encrypted before it reached the rules. Only the vault can open it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sealed(pub String);

/// Keyed hash of something personal (a mail address, an outside customer id), for finding without reading.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(pub SmolStr);

/// What users attach for themselves: texts by key, bounded by the `METADATA_*` limits.
pub type Metadata = BTreeMap<SmolStr, SmolStr>;

/// ISO 3166-1 alpha-2, and XK, which carriers and payment gateways use for Kosovo.
const COUNTRIES: &str = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD \
CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ \
GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY \
MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT \
PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM \
US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW";

/// Whether `code` is the two-letter code of a country, as ISO 3166 has it.
pub fn is_country(code: &str) -> bool {
    code.len() == 2 && COUNTRIES.as_bytes().chunks(3).any(|known| known.starts_with(code.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::is_country;

    #[test]
    fn countries_are_known_by_two_capital_letters() {
        assert!(["US", "DE", "AD", "ZW", "XK"].into_iter().all(is_country));
        assert!(["XX", "us", "USA", "U", "", "S A", "EU"].into_iter().all(|code| !is_country(code)));
    }
}
