// A configuration of one route with this `forward`, and the parts that it may need.

import type { Sections } from './sections.ts'

/** An issuer, and where it is read. */
export const ISSUER: Sections = {
  listen: 'listen: { authz: unix:authz.sock, issuer: unix:issuer.sock }',
  issuer: 'issuer: { url: "https://id.example.org", keys: keys }',
}

// One of each kind.
const AUTHENTICATORS: Sections = {
  authenticators: `
authenticators:
  staff: { basic: { verify: [{ users: { file: users.yaml } }] } }
  guests: { basic: { verify: [{ users: { file: guests.htpasswd } }] } }
  tokens: { bearer: { issuer: https://id.example.org, audiences: [api] } }
  opaque: { introspection: { issuer: https://id.example.org, client: { id: a, secret: file:s }, audiences: [api] } }
  accounts: { tokenReview: { server: https://10.0.0.1:6443, token: file:t } }
  cards: { certificate: { trust: ca.pem } }`,
}

interface Route {
  readonly forward: string
  readonly authenticate?: string
  readonly authorize?: string
  /** Further keys, beginning with a comma. */
  readonly more?: string
}

/** The configuration; every part is the inside of its section. */
export const route = ({
  forward,
  authenticate = 'staff',
  authorize = '{ allow: all }',
  more = '',
}: Route): Sections => ({
  ...AUTHENTICATORS,
  routes: `routes: [{ name: app, authenticate: [${authenticate}], authorize: [${authorize}], forward: { ${forward} }${more} }]`,
})

/** A problem at a path below `forward`, both regular expressions. */
export const at = (path: string, message: string): RegExp =>
  new RegExp(String.raw`^routes\[0\]\.forward\.${path}: ${message}`)

const CLIENT = 'client: { id: countersign, secret: file:secret }'

/** `bearer.clientCredentials` and `bearer.exchange`. */
export const CREDENTIALS = `clientCredentials: { issuer: https://id.example.org, ${CLIENT} }`
export const EXCHANGE = `exchange: { issuer: https://id.example.org, ${CLIENT} }`
