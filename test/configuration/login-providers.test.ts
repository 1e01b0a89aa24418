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

describe('the section providers of the login page', () => {
  checkAll([
    {
      name: 'is accepted without authenticators',
      input: { listen, issuer: login('issuer: https://login.example.com') },
      want: [],
    },
    {
      name: 'accepts http: on this machine',
      input: { listen, issuer: login('issuer: "http://localhost:8080"') },
      want: [],
    },
    {
      name: 'hostile: refuses http: elsewhere',
      input: { listen, issuer: login('issuer: http://login.example.com') },
      want: wrong('issuer', 'must begin with https://'),
    },
    {
      name: 'hostile: refuses a host that a Content-Security-Policy cannot contain',
      input: { listen, issuer: login("issuer: 'https://a;b.example.com'") },
      want: wrong('issuer', 'must have a host that is a plain name'),
    },
    {
      name: 'refuses an issuer with a query',
      input: { listen, issuer: login("issuer: 'https://login.example.com/?a=b'") },
      want: wrong('issuer', 'must have no query'),
    },
    {
      name: 'requires the scope openid',
      input: { listen, issuer: login('issuer: https://login.example.com, scopes: [email]') },
      want: wrong('scopes', 'must have "openid"'),
    },
    {
      name: 'reports an invalid expression of the identity',
      input: {
        listen,
        issuer: login('issuer: https://login.example.com, identity: { user: account.user }'),
      },
      want: wrong('identity.user', ''),
    },
    {
      name: 'hostile: refuses patterns of reserved names, which tokens may contain',
      input: {
        listen,
        issuer: issuer(
          "providers: { corp: { name: Corp, clientId: us, clientSecret: env:S, issuer: https://login.example.com } }, allowReserved: ['*', 'system:serviceaccount:shop:*', 'system:node']",
        ),
      },
      want: [0, 1].map(
        (index) =>
          new RegExp(
            `^issuer\\.login\\.allowReserved\\[${index}\\]: must be a name written out, without "\\*"$`,
          ),
      ),
    },
    {
      name: 'hostile: refuses patterns of reserved names, which the IdP may yield',
      input: {
        listen,
        issuer: login("issuer: https://login.example.com, allowReserved: ['system:*']"),
      },
      want: wrong('allowReserved\\[0\\]', 'must be a name written out, without "\\*"'),
    },
    {
      name: 'hostile: refuses parameters that Countersign sets',
      input: {
        listen,
        issuer: login('issuer: https://login.example.com, parameters: { redirect_uri: x }'),
      },
      want: wrong('parameters.redirect_uri', 'is set by Countersign itself'),
    },
    {
      name: 'refuses the name of another login method',
      input: { listen, issuer: login('issuer: https://login.example.com', 'password') },
      want: [/^issuer\.login\.providers\.password: is the name of another way to log in/],
    },
    {
      name: 'refuses the name of an authenticator',
      input: { listen, issuer: login('issuer: https://login.example.com', 'staff') },
      want: [/^issuer\.login\.providers\.staff: is also the name of an authenticator/],
    },
    {
      name: 'is required where the page has no authenticators',
      input: { listen, issuer: issuer('lifetime: 5m') },
      want: [/^issuer\.login: must have "authenticators" or "providers"/],
    },
  ])
})
