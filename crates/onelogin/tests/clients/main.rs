//! Clients that no registry delivers, replayed: each file sends what such a client sends, header by header, and looks
//! at what it looks at in the answers, no further and no less strictly. What they send is in the contract (1.3,
//! 1.4, 14, 15) and was compared with their published sources; no code of theirs is here.
//!
//! The first line of each file names the client and its version and how it is led to a server of one's own; a test's
//! name begins with its flow. `docs/reference/compatibility.md` lists exactly what these files contain.

#[path = "../wire/mod.rs"]
mod wire;

mod caller;

mod asobrien;
mod auth_cli;
mod aws_role;
mod aws_runas;
mod cerberus;
mod clisso;
mod connector;
mod dotnet;
mod go;
mod graph;
mod java;
mod login_cli;
mod masl;
mod mcp;
mod node;
mod openvpn;
mod pam;
mod php;
#[expect(clippy::doc_markdown, reason = "a name that looks like code")]
mod powershell;
mod pritunl;
mod ruby;
mod saml2aws;
