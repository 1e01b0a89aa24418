// `apiKey` of an authenticator: what it is by default, and what is wrong with it and where.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseConfig } from '../../src/configuration/parse.ts'
import { checkAll } from './sections.ts'

const authenticators = (section: string): { authenticators: string } => ({
  authenticators: `
authenticators:
  staff: { apiKey: { ${section} } }`,
})

const locations = (...texts: readonly string[]): { authenticators: string } =>
  authenticators(`file: keys.yaml, locations: [${texts.join(', ')}]`)

describe('the section apiKey', () => {
  it('needs a file only, and then reads x-api-key', () => {
    const text = `
version: 1
listen: { authz: unix:authz.sock }
${authenticators('file: keys.yaml').authenticators}
routes: [{ name: app, authenticate: [staff], authorize: [{ allow: all }] }]`
    const result = parseConfig('/etc/countersign.yaml', text)
    assert.ok(result.ok)
    assert.deepEqual(result.config.authenticators['staff']?.apiKey, {
      realm: 'Countersign',
      file: '/etc/keys.yaml',
      locations: [{ header: 'x-api-key' }],
    })
  })
})

const PLACE = 'authenticators\\.staff\\.apiKey\\.locations'
const at = (index: number, rest: string): RegExp => new RegExp(`^${PLACE}\\[${index}\\]${rest}`)

describe('the section apiKey is refused', () => {
  checkAll([
    {
      name: 'without a file',
      input: authenticators(''),
      want: [/apiKey\.file: required, but missing/],
    },
    { name: 'with an empty list of locations', input: locations(), want: [/apiKey\.locations: /] },
    {
      name: 'with a location that has neither header nor query, or both',
      input: locations('{}', '{ header: x-key, query: key }'),
      want: [at(0, ': must have exactly one of'), at(1, ': must have exactly one of')],
    },
    {
      name: 'with invalid names',
      input: locations(
        '{ header: x_api_key }',
        '{ header: ":path" }',
        '{ header: "" }',
        '{ query: "a&b" }',
        '{ query: "a=b" }',
        '{ query: "" }',
      ),
      want: [
        at(0, '\\.header: must be the name of a header'),
        at(1, '\\.header: must be the name of a header'),
        at(2, '\\.header: must be the name of a header'),
        at(3, '\\.query: must be letters'),
        at(4, '\\.query: must be letters'),
        at(5, '\\.query: must be letters'),
      ],
    },
    {
      name: 'with a scheme for a query, or Authorization without one',
      input: locations(
        '{ header: x-api-key, scheme: Token }',
        '{ header: Authorization }',
        '{ query: key, scheme: Token }',
      ),
      want: [
        at(0, ': must have "scheme" if'),
        at(1, ': must have "scheme" if'),
        at(2, ': must have "scheme" if'),
      ],
    },
    {
      name: 'with the scheme of another credential',
      input: locations('{ header: Authorization, scheme: bearer }'),
      want: [at(0, '\\.scheme: is the scheme of another kind')],
    },
    {
      name: 'with an invalid scheme',
      input: locations('{ header: Authorization, scheme: "A B" }'),
      want: [at(0, '\\.scheme: must be a word')],
    },
    {
      name: 'with the same location twice',
      input: locations('{ header: X-Api-Key }', '{ header: x-api-key }'),
      want: [/apiKey\.locations: must not name a place twice/],
    },
  ])
})
