// `helm test` runs this in a pod: each authz must be ready, and Envoy must refuse a request without a credential.

import { lookup } from 'node:dns/promises'
import { readFileSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { setTimeout as sleep } from 'node:timers/promises'

// Network policies and addresses of new pods take some seconds to be known everywhere.
const PAUSE_MS = 1_000
const TIMEOUT_MS = 5_000

const { seconds, authz, envoy } = JSON.parse(process.env.COUNTERSIGN_TEST)

const answerTo = (request, options) =>
  new Promise((resolve, reject) => {
    const sent = request({ ...options, agent: false, timeout: TIMEOUT_MS }, (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (text) => (body += text))
      response.on('end', () => resolve({ status: response.statusCode, body }))
      response.on('error', reject)
    })
    sent.on('timeout', () => sent.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)))
    sent.on('error', reject)
    sent.end()
  })

const eachAuthzIsReady = async () => {
  for (const { address } of await lookup(authz.host, { all: true })) {
    const options = { host: address, port: authz.port, path: '/readyz?verbose' }
    const { status, body } = await answerTo(httpRequest, options)
    if (status !== 200) throw new Error(`authz at ${address} is not ready (${status}):\n${body}`)
    console.log(`authz at ${address} is ready:\n${body.trimEnd()}`)
  }
}

const envoyRefuses = async () => {
  const { status } = await answerTo(httpsRequest, {
    host: envoy.host,
    port: envoy.port,
    path: envoy.path,
    servername: envoy.name,
    headers: { host: envoy.name, accept: 'application/json' },
    // It must present the certificate of the Secret. Names are not compared: the first route may have a wildcard.
    ca: readFileSync(envoy.certificate),
    allowPartialTrustChain: true,
    checkServerIdentity: () => undefined,
  })
  const what = `Envoy answers https://${envoy.name}${envoy.path} without a credential with ${status}`
  if (status !== envoy.status) throw new Error(`${what}, not ${envoy.status}`)
  console.log(what)
}

const untilTrue = async (check) => {
  const end = Date.now() + seconds * 1_000
  for (;;) {
    try {
      return await check()
    } catch (error) {
      if (Date.now() > end) throw error
      console.log(`${error.message}; trying again`)
      await sleep(PAUSE_MS)
    }
  }
}

try {
  await untilTrue(eachAuthzIsReady)
  if (envoy) await untilTrue(envoyRefuses)
} catch (error) {
  console.error(`failed: ${error.message}`)
  process.exitCode = 1
}
