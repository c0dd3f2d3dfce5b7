// Runs @onelogin/sdk 1.0.9 against a `countersign dev`. Its API is Smart MFA, and apps, which Countersign does not have.
// Its base URL is configurable; it changes every other scheme to https.
'use strict'

const { Client } = require('@onelogin/sdk')
const { equal, isTrue, main, matches, other, ownName, step } = require('./harness.js')

const visit = { user_identifier: 'zoe', email: 'zoe@example.com', context: { ip: '192.0.2.1', user_agent: 'Firefox' } }

function client(world, secret) {
  return new Client({ clientID: world.id, clientSecret: secret, baseURL: world.base, timeout: 20000 })
}

async function refused(promise, wanted) {
  let answer
  try {
    answer = await promise
  } catch (error) {
    isTrue(error.message.includes(wanted), `refused with ${error.message}, want ${wanted}`)
    return
  }
  throw new Error(`answered ${JSON.stringify(answer)}, want ${wanted}`)
}

step('oauth.token', 'generate a token (client credentials, Basic)', async world => {
  world.sdk = client(world, world.secret)
  world.token = await world.sdk.client.getAccessToken()
  matches('access_token', world.token, /^[0-9a-f]{64}$/)
  isTrue(world.sdk.client.accessTokenExpiry > new Date(), 'the token is over')
})

step('oauth.token_again', 'a second request gets the same live token', async world => {
  equal('access_token', await client(world, world.secret).client.getAccessToken(), world.token)
})

step('oauth.bad_secret', 'a wrong client secret is refused', async world => {
  const token = await client(world, '0'.repeat(64)).client.getAccessToken()
  equal('access_token', token ?? null, null)
})

step('smart.new', 'a new visit costs a code', async world => {
  await world.dev.mark()
  const { data, error } = await world.sdk.smartMFA.CheckMFARequired(visit)
  isTrue(!error, JSON.stringify(error))
  equal('otp_sent', data.mfa.otp_sent, true)
  isTrue(Number.isInteger(data.user_id) && data.risk.score >= 50 && data.risk.reasons.length > 0, JSON.stringify(data))
  world.zoe = data.user_id
  world.stateToken = data.mfa.state_token
})

step('smart.verify', 'a wrong code is refused, the right one accepted, once', async world => {
  const code = await world.dev.code('email', world.zoe)
  const hand = otp => world.sdk.smartMFA.ValidateOTP({ state_token: world.stateToken, otp_token: otp })
  await refused(hand(other(code)), 'Unauthorized')
  equal('answer', await hand(code), {})
  await refused(hand(code), 'Bad Request')
})

step('smart.known', 'a known visit costs none', async world => {
  const { data } = await world.sdk.smartMFA.CheckMFARequired(visit)
  equal('mfa', data.mfa.otp_sent, false)
})

step('smart.bad_request', 'what is missing is said', async world => {
  const { data, error } = await world.sdk.smartMFA.CheckMFARequired({ user_identifier: 'yan', email: 'yan@example.com' })
  equal('data', data, null)
  isTrue(error.httpStatusCode >= 400 && error.httpStatusCode < 500, JSON.stringify(error))
})

main('@onelogin/sdk/package.json', async (chosen, ready) => ({
  id: chosen['client-id'],
  secret: chosen['client-secret'],
  base: ownName(ready.base_url),
})).then(status => process.exit(status))
