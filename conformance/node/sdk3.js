// Runs @onelogin/sdk 3.0.0-alpha.1, which is generated and which npm delivers as sources, against a `countersign dev`.
// Its base path is configurable. Its models are typed; the raw answer stays in `response.body`.
'use strict'

const { DefaultApi } = require('@onelogin/sdk')
const { Known, equal, isTrue, main, matches, other, step, totp } = require('./harness.js')

const NUMERIC = 'numeric_ids'
const WRONG = { statusCode: 401, name: 'Unauthorized', message: 'Failed authentication with this factor' }
const FACTORS = ['OneLogin SMS', 'OneLogin Voice', 'OneLogin Email', 'OneLogin Protect', 'Authenticator']

async function refused(status, body, promise) {
  let answer
  try {
    answer = await promise
  } catch (error) {
    // Compiled to ES5, its error loses its class but keeps its fields.
    isTrue(error.statusCode !== undefined, `${error}`)
    equal('status', error.statusCode, status)
    if (body) equal('body', error.body, body)
    return
  }
  throw new Error(`answered ${JSON.stringify(answer.body)}, want ${status}`)
}

// The id of a verification or registration. The SDK declares it as a number, as the documented path table does.
function numbered(world, id) {
  if (world.profile === NUMERIC) {
    matches('id', id, /^[0-9]{1,10}$/)
    return Number(id)
  }
  matches('id', id, /^[0-9a-f-]{36}$/)
  return id
}

async function enrol(world, factor, name, more = {}) {
  const wanted = { factorId: world.factors[factor], displayName: name, ...more }
  const { response, body } = await world.api.enrollFactor(world.bearer, world.ana, wanted)
  equal('status code', response.statusCode, 201)
  world.model = body
  return response.body
}

async function challenge(world, device) {
  const { response } = await world.api.activateFactor(world.bearer, world.ana, { deviceId: Number(device) })
  equal('status code', response.statusCode, 201)
  return response.body
}

function answer(world, verification, otp, device) {
  const wanted = device ? { otp, deviceId: Number(device) } : { otp }
  return world.api.verifyFactor(world.bearer, world.ana, numbered(world, verification.id), wanted)
}

step('oauth.token', 'generate a token (client credentials)', async world => {
  const { body } = await world.api.generateToken(`client_id:${world.id}, client_secret:${world.secret}`, {
    grantType: 'client_credentials',
  })
  matches('access_token', body.accessToken, /^[0-9a-f]{64}$/)
  equal('token_type', body.tokenType, 'bearer')
  equal('expires_in', body.expiresIn, 36000)
  world.bearer = `bearer:${body.accessToken}`
})

step('oauth.bad_secret', 'a wrong client secret is refused', world =>
  refused(401, null, world.api.generateToken(`client_id:${world.id}, client_secret:0`, { grantType: 'client_credentials' })))

step('users.v2.list', 'list users', async world => {
  const { body } = await world.api.listUsers(world.bearer)
  equal('users', body.slice(0, 3).map(user => user.username), world.ready.users.map(user => user.username))
})

step('users.v2.get', 'get a user; an unknown one is not found', async world => {
  const { body } = await world.api.getUser(world.bearer, world.ana)
  equal('email', body.email, world.ready.users[0].email)
  await refused(404, null, world.api.getUser(world.bearer, 2000000000))
})

step('mfa.v2.factors', 'list the factors a user can enrol', async world => {
  const { body } = await world.api.getAvailableFactors(world.bearer, world.ana)
  world.factors = Object.fromEntries(body.map(factor => [factor.name, factor.factorId]))
  for (const name of FACTORS) isTrue(Number.isInteger(world.factors[name]), `${name} is not offered`)
})

step('mfa.v2.totp.enrol', 'TOTP: enrol, scan the otpauth address', async world => {
  world.registration = await enrol(world, 'Authenticator', "Ana's app")
  world.app = world.registration.factor_data.totp_url
  numbered(world, world.registration.id)
})

step('mfa.v2.enrol_answer', 'read the answer to an enrolment', async world => {
  equal('the model', world.model, [])
  return new Known('the model is a list of lists where an object comes (contract 14.3): read `response.body`')
})

step('mfa.v2.totp.finish', 'TOTP: finish with the code', async world => {
  const otp = totp(world.app, await world.dev.now())
  const id = numbered(world, world.registration.id)
  const { response } = await world.api.verifyEnrollment(world.bearer, world.ana, id, { otp: Number(otp) })
  equal('status', response.body.status, 'accepted')
  world.device = response.body.device_id
})

step('mfa.v2.totp.verify', 'TOTP: challenge, wrong code refused, right code accepted', async world => {
  await world.dev.call('PUT', '/dev/clock', { advance_seconds: 90 })
  const verification = await challenge(world, world.device)
  const otp = totp(world.app, await world.dev.now())
  await refused(401, WRONG, answer(world, verification, other(otp), world.device))
  const { response } = await answer(world, verification, otp, world.device)
  equal('status', response.body.status, 'accepted')
})

step('mfa.v2.sms.enrol', 'SMS: enrol, read the message in its own words, finish', async world => {
  await world.dev.mark()
  const registration = await enrol(world, 'OneLogin SMS', "Ana's phone", { customMessage: 'Example: {{otp_code}}', expiresIn: '300' })
  const message = await world.dev.message('sms', world.ana)
  equal('body', message.body, `Example: ${message.code}`)
  const id = numbered(world, registration.id)
  const { response } = await world.api.verifyEnrollment(world.bearer, world.ana, id, { otp: Number(message.code) })
  world.sms = response.body.device_id
})

step('mfa.v2.sms.verify', 'SMS: challenge, wrong code refused, right code accepted, once', async world => {
  await world.dev.mark()
  const verification = await challenge(world, world.sms)
  const code = await world.dev.code('sms', world.ana)
  await refused(401, WRONG, answer(world, verification, other(code)))
  equal('status', (await answer(world, verification, code)).response.body.status, 'accepted')
  await refused(404, null, answer(world, verification, code))
})

step('mfa.v2.voice.enrol', 'voice: enrol, key the shown digits in on the call, poll', async world => {
  await world.dev.mark()
  const registration = await enrol(world, 'OneLogin Voice', "Ana's landline")
  const message = await world.dev.message('voice', world.ana)
  const poll = () => world.api.verifyEnrollmentVoiceProtect(world.bearer, world.ana, numbered(world, registration.id))
  equal('status', (await poll()).response.body.status, 'pending')
  await world.dev.call('POST', `/dev/outbox/${message.id}/keypad`, { digits: registration.factor_data.verification_token })
  equal('status', (await poll()).response.body.status, 'accepted')
})

step('mfa.v2.push.enrol', 'push: enrol, pair the telephone, poll', async world => {
  const registration = await enrol(world, 'OneLogin Protect', "Ana's push")
  await world.dev.call('POST', '/dev/phone/pair', registration)
  const id = numbered(world, registration.id)
  const { response } = await world.api.verifyEnrollmentVoiceProtect(world.bearer, world.ana, id)
  equal('status', response.body.status, 'accepted')
  world.push = response.body.device_id
})

step('mfa.v2.push.accept', 'push: challenge, poll pending, accept, poll accepted', async world => {
  const verification = await challenge(world, world.push)
  const poll = () => world.api.verifyFactorVoice(world.bearer, world.ana, numbered(world, verification.id))
  equal('status', (await poll()).response.body.status, 'pending')
  await world.dev.call('POST', `/dev/phone/accept?user_id=${world.ana}`)
  equal('status', (await poll()).response.body.status, 'accepted')
})

step('mfa.v2.devices', 'list the devices', async world => {
  const { body } = await world.api.getEnrolledFactors(world.bearer, world.ana)
  equal('first', [body[0].deviceId, body[0].userDisplayName, body[0].authFactorName], [world.device, "Ana's app", 'Google Authenticator'])
  equal('devices', body.length, 4)
})

step('mfa.v2.mfa_token', 'temporary token: issue', async world => {
  await refused(404, null, world.api.generateMfaToken(world.bearer, { expiresIn: '600', reusable: false }))
  return new Known('the path it calls has no user in it (`/api/2/mfs/users/{user_id}/mfa_token`, to the letter), so no server can tell whose token is meant')
})

step('mfa.v2.remove', 'remove a device', async world => {
  const { response } = await world.api.deleteFactor(world.bearer, world.ana, Number(world.push))
  equal('status code', response.statusCode, 204)
})

step('saml.v2.no_mfa', 'an assertion without a factor', async world => {
  const chie = world.ready.users[2]
  const { response } = await world.api.generateSamlAssertion(world.bearer, {
    usernameOrEmail: chie.email, password: chie.password, appId: String(world.ready.apps[0].id), subdomain: world.ready.subdomain,
  })
  equal('message', response.body.message, 'Success')
  isTrue(Buffer.from(response.body.data, 'base64').includes('AttributeStatement'), 'no assertion')
})

step('saml.v2.totp', 'an assertion with TOTP', async world => {
  const { email, password } = world.ready.users[0]
  const appId = String(world.ready.apps[0].id)
  const { response } = await world.api.generateSamlAssertion(world.bearer, {
    usernameOrEmail: email, password, appId, subdomain: world.ready.subdomain,
  })
  equal('message', response.body.message, 'MFA is required for this user')
  await world.dev.call('PUT', '/dev/clock', { advance_seconds: 90 })
  const { body } = await world.api.verifyFactorSaml(world.bearer, {
    appId, deviceId: world.device, stateToken: response.body.state_token, otpToken: totp(world.app, await world.dev.now()),
  })
  equal('message', body.message, 'Success')
  isTrue(Buffer.from(body.data, 'base64').includes('AttributeStatement'), 'no assertion')
})

step('oauth.revoke', 'revoke a token; it stops working', async world => {
  const token = world.bearer.slice('bearer:'.length)
  await world.api.revokeToken(`client_id:${world.id}, client_secret:${world.secret}`, { accessToken: token })
  await refused(401, null, world.api.getAvailableFactors(world.bearer, world.ana))
})

main('@onelogin/sdk/package.json', async (chosen, ready) => ({
  api: new DefaultApi(ready.base_url),
  id: chosen['client-id'],
  secret: chosen['client-secret'],
  ana: ready.users[0].id,
})).then(status => process.exit(status))
