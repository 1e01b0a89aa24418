// `issuer.login.providers`: which upstream IdPs are trusted, and never in the clear.

import { describe } from 'node:test'
import { checkAll } from './sections.ts'

const listen = 'listen: { authz: unix:authz.sock, issuer: unix:issuer.sock }'

const issuer = (ways: string): string => `
issuer:
  url: https://id.example.org
  keys: keys
  clients: { web: { redirectUris: ['https://app.example.org/cb'] } }
  login: { ${ways} }
`
const login = (provider: string, id = 'corp'): string =>
  issuer(`providers: { ${id}: { name: Corp, clientId: us, clientSecret: env:S, ${provider} } }`)
const at = (key: string): string => `^issuer\\.login\\.providers\\.corp\\.${key}: `
const wrong = (key: string, text: string): readonly RegExp[] => [new RegExp(at(key) + text)]

describe('an upstream IdP of the login page', () => {
  checkAll([
    {
      name: 'may be the only way in',
      input: { listen, issuer: login('issuer: https://login.example.com') },
      want: [],
    },
    {
      name: 'may be in the clear on this machine',
      input: { listen, issuer: login('issuer: "http://localhost:8080"') },
      want: [],
    },
    {
      name: 'hostile: gets no requests in the clear but on loopback',
      input: { listen, issuer: login('issuer: http://login.example.com') },
      want: wrong('issuer', 'must begin with https://'),
    },
    {
      name: 'hostile: has a host that a Content-Security-Policy can hold',
      input: { listen, issuer: login("issuer: 'https://a;b.example.com'") },
      want: wrong('issuer', 'must have a host that is a plain name'),
    },
    {
      name: 'has an issuer that is one',
      input: { listen, issuer: login("issuer: 'https://login.example.com/?a=b'") },
      want: wrong('issuer', 'must have no query'),
    },
    {
      name: 'issues ID tokens',
      input: { listen, issuer: login('issuer: https://login.example.com, scopes: [email]') },
      want: wrong('scopes', 'must have "openid"'),
    },
    {
      name: 'has an identity about claims, which compiles',
      input: {
        listen,
        issuer: login('issuer: https://login.example.com, identity: { user: account.user }'),
      },
      want: wrong('identity.user', ''),
    },
    {
      name: 'hostile: yields reserved names that are written out only',
      input: {
        listen,
        issuer: login("issuer: https://login.example.com, allowReserved: ['system:*']"),
      },
      want: wrong('allowReserved\\[0\\]', 'names are written out'),
    },
    {
      name: 'hostile: leaves what a login depends on to us',
      input: {
        listen,
        issuer: login('issuer: https://login.example.com, parameters: { redirect_uri: x }'),
      },
      want: wrong('parameters.redirect_uri', 'is set by Countersign itself'),
    },
    {
      name: 'has a name that is no other way to log in',
      input: { listen, issuer: login('issuer: https://login.example.com', 'password') },
      want: [/^issuer\.login\.providers\.password: is the name of another way to log in/],
    },
    {
      name: 'has a name that no authenticator has',
      input: { listen, issuer: login('issuer: https://login.example.com', 'staff') },
      want: [/^issuer\.login\.providers\.staff: is also the name of an authenticator/],
    },
    {
      name: 'or an authenticator has to be there',
      input: { listen, issuer: issuer('lifetime: 5m') },
      want: [/^issuer\.login: must have "authenticators" or "providers"/],
    },
  ])
})
