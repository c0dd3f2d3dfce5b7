//! Countries that text messages and calls may go to (SEC 18, SEC 34), and which country a number is of.
//!
//! A number's country is that of the longest prefix in the table. Countries that share a calling code differ in
//! their area codes: a list that names the United States must not open the Caribbean, where much toll fraud ends.

use std::str::FromStr;

/// ISO 3166-1 codes with their prefixes, as the ITU's list of calling codes (E.164) and the numbering plans of the
/// countries that share one have them. `+1` alone is the United States.
const TABLE: &[(&str, &str)] = &[
    ("AC", "247"),
    ("AD", "376"),
    ("AE", "971"),
    ("AF", "93"),
    ("AG", "1268"),
    ("AI", "1264"),
    ("AL", "355"),
    ("AM", "374"),
    ("AO", "244"),
    ("AR", "54"),
    ("AS", "1684"),
    ("AT", "43"),
    ("AU", "61"),
    ("AW", "297"),
    ("AX", "35818"),
    ("AZ", "994"),
    ("BA", "387"),
    ("BB", "1246"),
    ("BD", "880"),
    ("BE", "32"),
    ("BF", "226"),
    ("BG", "359"),
    ("BH", "973"),
    ("BI", "257"),
    ("BJ", "229"),
    ("BL", "590"),
    ("BM", "1441"),
    ("BN", "673"),
    ("BO", "591"),
    ("BQ", "599"),
    ("BR", "55"),
    ("BS", "1242"),
    ("BT", "975"),
    ("BW", "267"),
    ("BY", "375"),
    ("BZ", "501"),
    (
        "CA",
        "1204 1226 1236 1249 1250 1257 1263 1289 1306 1343 1354 1365 1367 1368 1382 1387 1403 1416 1418 1428 1431 1437 \
            1438 1450 1460 1468 1474 1506 1514 1519 1548 1568 1579 1581 1584 1587 1600 1604 1613 1622 1633 1639 1644 1647 \
            1655 1672 1677 1683 1688 1705 1709 1742 1753 1778 1780 1782 1807 1819 1825 1867 1873 1879 1902 1905 1942",
    ),
    ("CC", "6189162"),
    ("CD", "243"),
    ("CF", "236"),
    ("CG", "242"),
    ("CH", "41"),
    ("CI", "225"),
    ("CK", "682"),
    ("CL", "56"),
    ("CM", "237"),
    ("CN", "86"),
    ("CO", "57"),
    ("CR", "506"),
    ("CU", "53"),
    ("CV", "238"),
    ("CW", "5999"),
    ("CX", "6189164"),
    ("CY", "357"),
    ("CZ", "420"),
    ("DE", "49"),
    ("DJ", "253"),
    ("DK", "45"),
    ("DM", "1767"),
    ("DO", "1809 1829 1849"),
    ("DZ", "213"),
    ("EC", "593"),
    ("EE", "372"),
    ("EG", "20"),
    ("EH", "2125288 2125289"),
    ("ER", "291"),
    ("ES", "34"),
    ("ET", "251"),
    ("FI", "358"),
    ("FJ", "679"),
    ("FK", "500"),
    ("FM", "691"),
    ("FO", "298"),
    ("FR", "33"),
    ("GA", "241"),
    ("GB", "44"),
    ("GD", "1473"),
    ("GE", "995"),
    ("GF", "594"),
    ("GG", "441481 447781 447839 4479111 4479117"),
    ("GH", "233"),
    ("GI", "350"),
    ("GL", "299"),
    ("GM", "220"),
    ("GN", "224"),
    ("GP", "590"),
    ("GQ", "240"),
    ("GR", "30"),
    ("GT", "502"),
    ("GU", "1671"),
    ("GW", "245"),
    ("GY", "592"),
    ("HK", "852"),
    ("HN", "504"),
    ("HR", "385"),
    ("HT", "509"),
    ("HU", "36"),
    ("ID", "62"),
    ("IE", "353"),
    ("IL", "972"),
    ("IM", "441624 4474576 447524 447624 447924"),
    ("IN", "91"),
    ("IO", "246"),
    ("IQ", "964"),
    ("IR", "98"),
    ("IS", "354"),
    ("IT", "39"),
    ("JE", "441534 447509 4477003 4477007 4477008 447797 447829 447937"),
    ("JM", "1658 1876"),
    ("JO", "962"),
    ("JP", "81"),
    ("KE", "254"),
    ("KG", "996"),
    ("KH", "855"),
    ("KI", "686"),
    ("KM", "269"),
    ("KN", "1869"),
    ("KP", "850"),
    ("KR", "82"),
    ("KW", "965"),
    ("KY", "1345"),
    ("KZ", "76 77"),
    ("LA", "856"),
    ("LB", "961"),
    ("LC", "1758"),
    ("LI", "423"),
    ("LK", "94"),
    ("LR", "231"),
    ("LS", "266"),
    ("LT", "370"),
    ("LU", "352"),
    ("LV", "371"),
    ("LY", "218"),
    ("MA", "212"),
    ("MC", "377"),
    ("MD", "373"),
    ("ME", "382"),
    ("MF", "590"),
    ("MG", "261"),
    ("MH", "692"),
    ("MK", "389"),
    ("ML", "223"),
    ("MM", "95"),
    ("MN", "976"),
    ("MO", "853"),
    ("MP", "1670"),
    ("MQ", "596"),
    ("MR", "222"),
    ("MS", "1664"),
    ("MT", "356"),
    ("MU", "230"),
    ("MV", "960"),
    ("MW", "265"),
    ("MX", "52"),
    ("MY", "60"),
    ("MZ", "258"),
    ("NA", "264"),
    ("NC", "687"),
    ("NE", "227"),
    ("NF", "6723"),
    ("NG", "234"),
    ("NI", "505"),
    ("NL", "31"),
    ("NO", "47"),
    ("NP", "977"),
    ("NR", "674"),
    ("NU", "683"),
    ("NZ", "64"),
    ("OM", "968"),
    ("PA", "507"),
    ("PE", "51"),
    ("PF", "689"),
    ("PG", "675"),
    ("PH", "63"),
    ("PK", "92"),
    ("PL", "48"),
    ("PM", "508"),
    ("PR", "1787 1939"),
    ("PS", "970"),
    ("PT", "351"),
    ("PW", "680"),
    ("PY", "595"),
    ("QA", "974"),
    ("RE", "262"),
    ("RO", "40"),
    ("RS", "381"),
    ("RU", "7"),
    ("RW", "250"),
    ("SA", "966"),
    ("SB", "677"),
    ("SC", "248"),
    ("SD", "249"),
    ("SE", "46"),
    ("SG", "65"),
    ("SH", "290"),
    ("SI", "386"),
    ("SJ", "4779"),
    ("SK", "421"),
    ("SL", "232"),
    ("SM", "378"),
    ("SN", "221"),
    ("SO", "252"),
    ("SR", "597"),
    ("SS", "211"),
    ("ST", "239"),
    ("SV", "503"),
    ("SX", "1721"),
    ("SY", "963"),
    ("SZ", "268"),
    ("TA", "2908"),
    ("TC", "1649"),
    ("TD", "235"),
    ("TG", "228"),
    ("TH", "66"),
    ("TJ", "992"),
    ("TK", "690"),
    ("TL", "670"),
    ("TM", "993"),
    ("TN", "216"),
    ("TO", "676"),
    ("TR", "90"),
    ("TT", "1868"),
    ("TV", "688"),
    ("TW", "886"),
    ("TZ", "255"),
    ("UA", "380"),
    ("UG", "256"),
    ("US", "1"),
    ("UY", "598"),
    ("UZ", "998"),
    ("VA", "3906698 379"),
    ("VC", "1784"),
    ("VE", "58"),
    ("VG", "1284"),
    ("VI", "1340"),
    ("VN", "84"),
    ("VU", "678"),
    ("WF", "681"),
    ("WS", "685"),
    ("XK", "383"),
    ("YE", "967"),
    ("YT", "262269 262639"),
    ("ZA", "27"),
    ("ZM", "260"),
    ("ZW", "263"),
];

/// Where text messages and calls may go. Nowhere by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Countries {
    everywhere: bool,
    /// Codes of countries, in capitals.
    codes: Vec<String>,
    /// Prefixes of canonical numbers, with their `+`.
    prefixes: Vec<String>,
}

/// A text that names no country.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is neither a country's ISO 3166 code of two letters, as DE, nor a prefix, as +49")]
pub struct NoCountry(pub String);

impl Countries {
    /// Every number there is, as in the dev world.
    pub fn all() -> Self {
        Self { everywhere: true, ..Self::default() }
    }

    /// Those of a list whose entries are ISO 3166 codes (`DE`) or prefixes (`+49`). The error is the first that is neither.
    pub fn of<'a>(list: impl IntoIterator<Item = &'a str>) -> Result<Self, NoCountry> {
        let mut countries = Self::default();
        for entry in list.into_iter().map(str::trim) {
            let code = entry.to_ascii_uppercase();
            if let Some(digits) = entry.strip_prefix('+') {
                let fits = (1..=7).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
                if !fits || digits.starts_with('0') {
                    return Err(NoCountry(entry.to_owned()));
                }
                countries.prefixes.push(entry.to_owned());
            } else if TABLE.iter().any(|(known, _)| *known == code) {
                countries.codes.push(code);
            } else {
                return Err(NoCountry(entry.to_owned()));
            }
        }
        Ok(countries)
    }

    /// Whether no number may be sent to.
    pub fn is_empty(&self) -> bool {
        !self.everywhere && self.codes.is_empty() && self.prefixes.is_empty()
    }

    /// Whether this canonical number is of a country that is listed.
    pub fn contain(&self, number: &str) -> bool {
        self.everywhere
            || self.prefixes.iter().any(|prefix| number.starts_with(prefix.as_str()))
            || of_number(number).iter().any(|code| self.codes.iter().any(|listed| listed == code))
    }
}

impl FromStr for Countries {
    type Err = NoCountry;

    fn from_str(text: &str) -> Result<Self, NoCountry> {
        Self::of(text.split(',').filter(|entry| !entry.trim().is_empty()))
    }
}

/// The code of numbers that no country in the table has (ISO 3166 leaves it to its users).
pub const UNKNOWN: &str = "ZZ";

/// The code of the country that a canonical number is counted for: the first of those that share it, and [`UNKNOWN`] if no
/// country matches.
pub fn counted(number: &str) -> &'static str {
    of_number(number).first().copied().unwrap_or(UNKNOWN)
}

/// The country with this code, or [`UNKNOWN`].
pub fn known(code: &str) -> Option<&'static str> {
    TABLE.iter().map(|(known, _)| *known).chain([UNKNOWN]).find(|known| *known == code)
}

/// The codes of the countries that a canonical number may be of: more than one only where they share every prefix.
pub fn of_number(number: &str) -> Vec<&'static str> {
    let Some(digits) = number.strip_prefix('+') else { return Vec::new() };
    let longest = |prefixes: &str| {
        prefixes.split_ascii_whitespace().filter(|prefix| digits.starts_with(*prefix)).map(str::len).max().unwrap_or(0)
    };
    let found: Vec<_> = TABLE.iter().map(|(code, prefixes)| (*code, longest(prefixes))).collect();
    let best = found.iter().map(|(_, length)| *length).max().unwrap_or(0);
    found.into_iter().filter(|(_, length)| best > 0 && *length == best).map(|(code, _)| code).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listed_country_does_not_open_those_that_share_its_code() {
        let list = |text: &str| text.parse::<Countries>().unwrap();
        let states = list("us");
        assert!(states.contain("+14155550123"));
        for other in ["+18765550123", "+12425550123", "+14165550123", "+4915112345678"] {
            assert!(!states.contain(other), "{other}");
        }
        assert!(list("CA").contain("+14165550123") && !list("CA").contain("+14155550123"));
        assert!(list("GB").contain("+447400123456") && !list("GB").contain("+447781123456"));
        assert!(list("GG").contain("+447781123456") && !list("GG").contain("+447400123456"));
        assert!(list("RU").contain("+79161234567") && !list("RU").contain("+77011234567"));
        assert!(list("KZ").contain("+77011234567"));
        assert!(list("GP").contain("+590690001234") && list("MF").contain("+590690001234"));
        // A prefix is used as it is.
        assert!(list("+1").contain("+18765550123"));
        assert!(list("+49, FR").contain("+4915112345678") && list("+49,FR").contain("+33612345678"));
    }

    #[test]
    fn every_calling_code_is_somebodys() {
        for number in
            ["+4915112345678", "+8613812345678", "+97150123456", "+5511912345678", "+3581812345", "+27821234567"]
        {
            assert_eq!(of_number(number).len(), 1, "{number}");
            assert!(Countries::all().contain(number));
            assert!(!Countries::default().contain(number));
        }
        assert_eq!(of_number("+999123456"), Vec::<&str>::new());
        let mut codes: Vec<_> = TABLE.iter().map(|(code, _)| *code).collect();
        assert!(codes.is_sorted(), "in order");
        codes.dedup();
        assert_eq!(codes.len(), TABLE.len(), "each once");
    }

    #[test]
    fn a_number_is_counted_for_one_country() {
        assert_eq!(["+4915112345678", "+590690001234", "+999123456"].map(counted), ["DE", "BL", UNKNOWN]);
        assert_eq!((known("DE"), known(UNKNOWN), known("de")), (Some("DE"), Some(UNKNOWN), None));
    }

    #[test]
    fn what_names_no_country_is_refused() {
        for wrong in ["D", "DEU", "Germany", "+0", "+", "49", "+1234567890", "ZZ"] {
            assert_eq!(Countries::of([wrong]), Err(NoCountry(wrong.to_owned())));
        }
        assert!(Countries::of([]).unwrap().is_empty());
    }
}
