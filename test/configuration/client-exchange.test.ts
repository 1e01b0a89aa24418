// `exchange` of a client: with its grant, a secret, a login, and resources that there are.

import { describe } from 'node:test'
import { checkAll } from './sections.ts'

const listen = 'listen: { authz: unix:authz.sock, issuer: unix:issuer.sock }'

const issuer = (client: string, login = 'login: { authenticators: [staff] }'): string => `
issuer:
  url: https://id.example.org
  keys: keys
  ${login}
  clients:
    app: { redirectUris: [https://app.example.org/callback] }
    gateway: { ${client} }
  resources: { https://api.example.org: { scopes: [read] }, https://ledger.example.org: { scopes: [book] } }`

const EXCHANGE = 'exchange: { from: [https://api.example.org], to: [https://ledger.example.org] }'
const AT = 'issuer\\.clients\\.gateway'

describe('the section exchange of a client', () => {
  checkAll([
    {
      name: 'is accepted when it is complete',
      input: {
        listen,
        issuer: issuer(`secret: file:s, grantTypes: [token_exchange], ${EXCHANGE}`),
      },
      want: [],
    },
    {
      name: 'is refused for a client without a secret',
      input: { listen, issuer: issuer(`grantTypes: [token_exchange], ${EXCHANGE}`) },
      want: [new RegExp(`^${AT}\\.secret: is needed for "token_exchange"$`)],
    },
    {
      name: 'is required with the grant type token_exchange',
      input: { listen, issuer: issuer('secret: file:s, grantTypes: [token_exchange]') },
      want: [new RegExp(`^${AT}\\.exchange: is required with the grant type "token_exchange"`)],
    },
    {
      name: 'is refused without the grant type token_exchange',
      input: {
        listen,
        issuer: issuer(`secret: file:s, grantTypes: [device_code], ${EXCHANGE}`),
      },
      want: [new RegExp(`^${AT}\\.exchange: is required with the grant type "token_exchange"`)],
    },
    {
      name: 'refuses unknown resources',
      input: {
        listen,
        issuer: issuer(
          'secret: file:s, grantTypes: [token_exchange], exchange: { from: [https://a.example.org], to: [https://b.example.org] }',
        ),
      },
      want: [
        new RegExp(`^${AT}\\.exchange\\.from\\[0\\]: is not one of "issuer\\.resources"$`),
        new RegExp(`^${AT}\\.exchange\\.to\\[0\\]: is not one of "issuer\\.resources"$`),
      ],
    },
    {
      name: 'accepts additional scopes of the resources in "to"',
      input: {
        listen,
        issuer: issuer(
          `secret: file:s, grantTypes: [token_exchange], ${EXCHANGE.replace(' }', ', scopes: { https://ledger.example.org: [book] } }')}`,
        ),
      },
      want: [],
    },
    {
      name: 'refuses unknown scopes, and those of other resources',
      input: {
        listen,
        issuer: issuer(
          `secret: file:s, grantTypes: [token_exchange], ${EXCHANGE.replace(' }', ', scopes: { https://ledger.example.org: [book, read], https://api.example.org: [read] } }')}`,
        ),
      },
      want: [
        new RegExp(
          `^${AT}\\.exchange\\.scopes\\[.*ledger.*\\]\\[1\\]: is not one of "scopes" of the resource$`,
        ),
        new RegExp(`^${AT}\\.exchange\\.scopes\\[.*api.*\\]: is not one of "to"$`),
      ],
    },
    {
      name: 'refuses empty lists',
      input: {
        listen,
        issuer: issuer(
          'secret: file:s, grantTypes: [token_exchange], exchange: { from: [], to: [] }',
        ),
      },
      want: [new RegExp(`^${AT}\\.exchange\\.from`), new RegExp(`^${AT}\\.exchange\\.to`)],
    },
    {
      name: 'refuses resources whose tokens are not of users',
      input: {
        listen,
        issuer: issuer(`secret: file:s, grantTypes: [token_exchange], ${EXCHANGE}`, '').replace(
          / {4}app:.*\n/,
          '',
        ),
      },
      want: [
        new RegExp(
          `^${AT}\\.exchange: needs "issuer\\.login": without it there are no tokens of users$`,
        ),
      ],
    },
  ])
})
