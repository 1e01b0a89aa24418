// `issuer` and its listener: both or neither, and never where its traffic could be changed on the way.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { issuerWarnings } from '../../../src/configuration/problems/issuer.ts'
import { parseConfig } from '../../../src/configuration/parse.ts'
import { checkAll, ENVOY } from '../sections.ts'

const ISSUER = 'issuer: { url: "https://id.example.org", keys: keys }'
const OPEN =
  /^listen\.issuer: a TCP address that is not loopback needs "tls", or "plaintext: true" for key sets alone: an attacker who can change/

const TLS = 'tls: { certificate: a.pem, key: file:a.key, clientCa: ca.pem }'

const listen = (issuer: string): string => `listen: { authz: unix:authz.sock, issuer: ${issuer} }`

describe('the address of the issuer', () => {
  checkAll([
    {
      name: 'may be a UNIX socket',
      input: { issuer: ISSUER, listen: listen('unix:i.sock') },
      want: [],
    },
    {
      name: 'may be loopback',
      input: { issuer: ISSUER, listen: listen('127.0.0.1:9003') },
      want: [],
    },
    {
      name: 'is refused on a network',
      input: { issuer: ISSUER, listen: listen('0.0.0.0:9003') },
      want: [OPEN],
    },
    {
      name: 'is refused on a network, in the long form',
      input: { issuer: ISSUER, listen: listen('{ address: 10.0.0.1:9003 }') },
      want: [OPEN],
    },
    {
      name: 'is accepted on a network with plaintext: true',
      input: { issuer: ISSUER, listen: listen('{ address: 10.0.0.1:9003, plaintext: true }') },
      want: [],
    },
    {
      name: 'is accepted on a network with mutual TLS',
      input: { issuer: ISSUER, listen: listen(`{ address: 10.0.0.1:9003, ${TLS} }`) },
      want: [],
    },
    {
      name: 'requires clientNames with mutual TLS',
      input: {
        issuer: ISSUER,
        listen: listen(`{ address: 10.0.0.1:9003, ${TLS.replace(' }', ', clientNames: [] }')} }`),
      },
      want: [/^listen\.issuer\.tls\.clientNames: /],
    },
    {
      name: 'requires TLS exactly where envoy has it',
      input: {
        issuer: ISSUER,
        listen: listen(`{ address: 10.0.0.1:9003, ${TLS} }`),
        envoy: ENVOY,
      },
      want: [
        /^envoy\.issuerTls: goes with "listen\.issuer\.tls": both sides speak TLS or neither$/,
      ],
    },
    {
      name: 'is required with the section issuer',
      input: { issuer: ISSUER },
      want: [/^issuer: needs an address where upstreams read the keys, .*"listen\.issuer"$/],
    },
    {
      name: 'is refused without the section issuer',
      input: { listen: listen('unix:i.sock') },
      want: [/^listen\.issuer: there is nothing to be read there without "issuer"$/],
    },
  ])
})

describe('a login by certificate', () => {
  const cards = (issuer: string) => ({
    issuer: `issuer:
  url: https://id.example.org
  keys: keys
  login: { authenticators: [cards] }
  clients: { app: { redirectUris: [https://app.example.org/cb] } }`,
    authenticators: `
authenticators:
  staff: { basic: { verify: [{ users: { file: users.yaml } }] } }
  cards: { certificate: { trust: ca.pem } }`,
    listen: listen(issuer),
  })
  checkAll([
    { name: 'is accepted at a UNIX socket', input: cards('unix:i.sock'), want: [] },
    {
      name: 'is accepted with mutual TLS',
      input: cards(`{ address: 10.0.0.1:1, ${TLS} }`),
      want: [],
    },
    {
      name: 'is refused on loopback, where every process could claim any certificate',
      input: cards('127.0.0.1:9003'),
      want: [/^issuer\.login\.authenticators\[0\]: needs "listen\.issuer" to be a UNIX socket, or/],
    },
  ])
})

describe('the warning about an unproven Envoy at the issuer', () => {
  const warned = (issuer: string): readonly string[] => {
    const text = `
version: 1
${listen(issuer)}
issuer: { url: "https://id.example.org", keys: keys, login: { authenticators: [staff] }, clients: { app: { redirectUris: [https://app.example.org/cb] } } }
authenticators: { staff: { basic: { verify: [{ users: { file: users.yaml } }] } } }
routes: [{ name: app, authenticate: [staff], authorize: [{ allow: all }] }]
`
    const result = parseConfig('/etc/countersign.yaml', text)
    assert.ok(result.ok, JSON.stringify(result))
    return issuerWarnings(result.config, result.locate).map(({ path }) => path)
  }
  it('is printed for TCP without TLS, loopback as well', () => {
    assert.deepEqual(warned('127.0.0.1:9003'), ['listen.issuer'])
    assert.deepEqual(warned('{ address: 10.0.0.1:9003, plaintext: true }'), ['listen.issuer'])
  })
  it('is not printed for a UNIX socket or mutual TLS', () => {
    assert.deepEqual(warned('unix:i.sock'), [])
    assert.deepEqual(warned(`{ address: 10.0.0.1:9003, ${TLS} }`), [])
  })
})
