//! The other end of a connection.

use std::net::SocketAddr;

/// The peer address of the connection that a request came by, in the request's extensions. Behind a proxy it is the
/// proxy's address: see [`crate::proxy::client_ip`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);
