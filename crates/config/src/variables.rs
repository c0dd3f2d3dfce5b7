//! Variables that begin like ours and are not.

use crate::suggest::nearest;
use crate::table::{self, PREFIX};

/// A sentence for each variable of the environment that begins like ours and is unknown, with a similar known one.
/// Variables that Kubernetes puts into every pod for a service of our name are left out.
pub fn unknown_variables() -> Vec<String> {
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let sentence = |(name, near): (String, Option<&str>)| match near {
        Some(near) => format!("unknown variable {name} (did you mean {near}?)"),
        None => format!("unknown variable {name}"),
    };
    unknown(names).into_iter().map(sentence).collect()
}

fn unknown(names: impl Iterator<Item = String>) -> Vec<(String, Option<&'static str>)> {
    let ours = |name: &String| name.starts_with(PREFIX) && !is_of_a_service(name);
    let strange = names.filter(ours).filter(|name| !table::variables().any(|known| known == name));
    strange
        .map(|name| {
            let near = nearest(&name[PREFIX.len()..], table::variables().map(|known| &known[PREFIX.len()..]));
            let near = near.and_then(|near| table::variables().find(|known| &known[PREFIX.len()..] == near));
            (name, near)
        })
        .collect()
}

/// Whether Kubernetes or Docker links create variables of this name for a service.
fn is_of_a_service(name: &str) -> bool {
    let port =
        |name: &str| name == "PORT" || name.starts_with("PORT_") || name.contains("_PORT_") || name.ends_with("_PORT");
    let rest = &name[PREFIX.len()..];
    rest.ends_with("SERVICE_HOST") || rest.contains("SERVICE_PORT") || port(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_variable_is_suggested_and_none_that_is_far() {
        let meant = |name: &str| unknown([name.to_owned()].into_iter()).remove(0).1;
        assert_eq!(meant("COUNTERSIGN_LISTN"), Some("COUNTERSIGN_LISTEN"));
        assert_eq!(meant("COUNTERSIGN_LOGIN_MFAS"), Some("COUNTERSIGN_LOGIN_MFA"));
        assert_eq!(meant("COUNTERSIGN_XYZ"), None);
        assert_eq!(meant("COUNTERSIGN_COLOUR"), None);
        assert!(unknown(["COUNTERSIGN_LISTEN".to_owned(), "PATH".to_owned()].into_iter()).is_empty());
    }

    #[test]
    fn kubernetes_variables_are_no_mistake() {
        // A service of our name puts these into every pod, and one of `countersign-admin` the last two.
        let put = [
            "COUNTERSIGN_PORT",
            "COUNTERSIGN_PORT_8080_TCP",
            "COUNTERSIGN_PORT_8080_TCP_ADDR",
            "COUNTERSIGN_PORT_8080_TCP_PORT",
            "COUNTERSIGN_PORT_8080_TCP_PROTO",
            "COUNTERSIGN_SERVICE_HOST",
            "COUNTERSIGN_SERVICE_PORT",
            "COUNTERSIGN_SERVICE_PORT_HTTP",
            "COUNTERSIGN_ADMIN_SERVICE_HOST",
            "COUNTERSIGN_ADMIN_PORT_9090_TCP",
        ];
        assert_eq!(unknown(put.iter().map(|name| (*name).to_owned())), []);
    }
}
