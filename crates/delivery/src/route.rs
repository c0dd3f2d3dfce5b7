//! Which provider carries which channel.

use std::sync::Arc;

use domain::Channel;

use crate::provider::Provider;

/// A channel with the provider that carries it.
#[derive(Clone)]
struct Route {
    channel: Channel,
    provider: Arc<dyn Provider>,
}

/// The routes of an installation: at most one for each channel.
#[derive(Clone, Default)]
pub struct Routes(Vec<Route>);

impl Routes {
    /// Routes over these providers. A channel that several of them carry goes to the first.
    pub fn over(providers: impl IntoIterator<Item = Arc<dyn Provider>>) -> Self {
        let mut routes = Self::default();
        for provider in providers {
            for channel in provider.channels() {
                if !routes.carry(*channel) {
                    routes.0.push(Route { channel: *channel, provider: provider.clone() });
                }
            }
        }
        routes
    }

    /// Whether messages over this channel have a provider.
    pub fn carry(&self, channel: Channel) -> bool {
        self.provider(channel).is_some()
    }

    /// The provider of a channel.
    pub fn provider(&self, channel: Channel) -> Option<&Arc<dyn Provider>> {
        self.0.iter().find(|route| route.channel == channel).map(|route| &route.provider)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::OutgoingMessage;
    use crate::provider::Sending;

    struct Over(&'static str, &'static [Channel]);

    impl Provider for Over {
        fn name(&self) -> &'static str {
            self.0
        }

        fn channels(&self) -> &[Channel] {
            self.1
        }

        fn send<'a>(&'a self, _: &'a OutgoingMessage) -> Sending<'a> {
            Box::pin(async { Ok(()) })
        }
    }

    #[test]
    fn the_first_provider_of_a_channel_carries_it() {
        let first: Arc<dyn Provider> = Arc::new(Over("first", &[Channel::Sms]));
        let second: Arc<dyn Provider> = Arc::new(Over("second", &[Channel::Sms, Channel::Email]));
        let routes = Routes::over([first, second]);
        let name = |channel| routes.provider(channel).map(|provider| provider.name());
        assert_eq!(Channel::ALL.map(name), [Some("first"), None, Some("second"), None]);
    }
}
