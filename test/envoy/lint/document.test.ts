// Files: YAML and JSON in every spelling that Envoy accepts, with the positions of findings; and texts that are
// invalid or hostile.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parse, stringify } from 'yaml'
import { lint } from '../../../src/envoy/lint/lint.ts'
import { AUTHZ, changed, GOOD, KUBE, MANAGER, type Change } from './corpus/case.ts'
import { found } from './found.ts'
import { cpuTime } from '../../fakes/cpu-time.ts'

/** The place of the only finding. */
const placeOf = (text: string): string => {
  const result = lint(text)
  assert.ok(result.ok)
  const [finding, ...others] = result.findings
  assert.deepEqual(others, [])
  return finding === undefined ? '' : `${finding.position.line}:${finding.position.column}`
}

/** Where a text begins. */
const placeIn = (text: string, part: string): string => {
  const before = text.slice(0, text.indexOf(part)).split('\n')
  return `${before.length}:${(before.at(-1)?.length ?? 0) + 1}`
}

const reasonFor = (text: string): string => {
  const result = lint(text)
  return result.ok ? 'none' : result.reason
}

describe('the place of a finding', () => {
  const wrong = changed([[`${AUTHZ}.failure_mode_allow`, true]])
  const missing = changed([[`${KUBE}.transport_socket.typed_config.max_session_keys`]])
  const forms: readonly { readonly name: string; readonly write: (value: unknown) => string }[] = [
    { name: 'YAML', write: (value) => stringify(value) },
    {
      name: 'YAML with comments and Windows’ line ends',
      write: (value) => `# x\r\n${stringify(value).replaceAll('\n', '\r\n')}`,
    },
    { name: 'JSON', write: (value) => JSON.stringify(value, undefined, 2) },
    { name: 'JSON on one line', write: (value) => JSON.stringify(value) },
    {
      name: 'JSON with spaces in front',
      write: (value) => `\n\n ${JSON.stringify(value, undefined, 1)}`,
    },
  ]
  for (const { name, write } of forms) {
    it(`is that of a setting in ${name}`, () => {
      const text = write(wrong)
      const key = /"?failure_mode_allow"?: ?true/.exec(text)?.[0] ?? ''
      assert.equal(placeOf(text), placeIn(text, key))
    })

    it(`is that of the message that lacks it in ${name}`, () => {
      const text = write(missing)
      const place = placeOf(text)
      const line = text.split('\n')[Number(place.split(':', 1)[0]) - 1] ?? ''
      assert.match(line.slice(Number(place.split(':')[1]) - 1), /^"?typed_config"?:/)
    })
  }

  it('is where an alias leads', () => {
    const text =
      `${GOOD}dynamic_resources:\n  x: &x { socket_address: { address: 0.0.0.9 } }\n`.replace(
        /^admin:\n(  .*\n)+/m,
        '',
      )
    assert.equal(placeOf(`${text}admin: { address: *x }\n`), placeIn(text, 'address: 0.0.0.9'))
  })
})

describe('the spelling of a configuration', () => {
  const cases: readonly { readonly name: string; readonly text: string }[] = [
    { name: 'JSON', text: JSON.stringify(parse(GOOD)) },
    {
      name: 'booleans of YAML 1.1',
      text: GOOD.replaceAll(': true\n', ': yes\n').replaceAll(': false\n', ': Off\n'),
    },
    { name: 'quoted booleans', text: GOOD.replaceAll(': true\n', ': "true"\n') },
    {
      name: 'wrapped booleans and numbers',
      text: GOOD.replaceAll(': true\n', ': { value: true }\n').replace(
        'max_session_keys: 0',
        'max_session_keys: { value: 0 }',
      ),
    },
    { name: 'numbers in quotes', text: GOOD.replaceAll(/: (\d+)\n/g, ': "$1"\n') },
    {
      name: 'numbers of enums',
      text: GOOD.replaceAll('REJECT_REQUEST', '2')
        .replace('headers_with_underscores_action: 2', 'headers_with_underscores_action: 1')
        .replace('DELTA_GRPC', '3')
        .replace('ONCE', '1'),
    },
    { name: 'a byte order mark', text: `\u{feff}${GOOD}` },
    {
      name: 'anchors',
      text: GOOD.replace('max_requests: 16384', 'max_requests: &many 16384').replace(
        'max_requests: 1000000',
        'max_requests: *many',
      ),
    },
    {
      name: 'a part that Envoy passes over',
      text: `!ignore admin: &x\n  address: { socket_address: { address: 0.0.0.0 } }\n${GOOD}`,
    },
  ]
  for (const { name, text } of cases) {
    it(`may have ${name}`, () => assert.deepEqual(found(text), []))
  }

  it('counts for nothing where Envoy passes it over', () => {
    const text = GOOD.replace(
      'failure_mode_allow: false',
      '!ignore encode_raw_headers: true',
    ).replace(/^ +encode_raw_headers: true\n/m, '')
    assert.deepEqual(
      found(text).map(({ rule }) => rule),
      ['raw-headers-missing'],
    )
  })

  it('has no merge keys, which Envoy does not know', () => {
    const text = GOOD.replace(
      /^( +)encode_raw_headers: true\n/m,
      '$1<<: { encode_raw_headers: true }\n',
    )
    assert.deepEqual(
      found(text).map(({ rule }) => rule),
      ['raw-headers-missing'],
    )
  })
})

describe('a setting that is there twice', () => {
  const rules = (text: string): readonly string[] =>
    found(text).map(({ rule, at }) => `${rule} ${at}`)
  const repeated = `repeated-setting ${AUTHZ}.encode_raw_headers`

  it('is found in YAML', () => {
    const text = GOOD.replace(/^( +)encode_raw_headers: true\n/m, '$&$&')
    assert.deepEqual(rules(text), [repeated])
  })

  it('is found in JSON', () => {
    const text = JSON.stringify(parse(GOOD)).replace('"encode_raw_headers":true', '$&,$&')
    assert.deepEqual(rules(text), [repeated])
  })

  it('counts with its last value, as in Envoy', () => {
    const text = JSON.stringify(parse(GOOD)).replace(
      '"encode_raw_headers":true',
      '$&,"encode_raw_headers":false',
    )
    assert.deepEqual(rules(text), [repeated, `raw-headers-missing ${AUTHZ}.encode_raw_headers`])
  })

  it('is ignored where the keys are data', () => {
    const change: Change = [
      `${MANAGER}.route_config.metadata`,
      { filter_metadata: { x: { a_b: 1, aB: 2 } } },
    ]
    assert.deepEqual(found(JSON.stringify(changed([change]))), [])
  })
})

describe('a text other than a configuration', () => {
  // Each of the ten anchors has nine times what the one before it has.
  const bomb = Array.from({ length: 9 }, (_, index) => {
    const aliases = Array<string>(9).fill(`*a${index}`)
    return `a${index + 1}: &a${index + 1} [${aliases.join(', ')}]\n`
  })
  const cases: readonly { readonly name: string; readonly text: string; readonly why: RegExp }[] = [
    { name: 'nothing', text: '', why: /not a mapping/ },
    { name: 'white space', text: ' \n\t\n', why: /not a mapping|not valid YAML/ },
    { name: 'a comment', text: '# nothing\n', why: /not a mapping/ },
    { name: 'null', text: 'null', why: /not a mapping/ },
    { name: 'a word', text: 'envoy', why: /not a mapping/ },
    { name: 'a list', text: '- static_resources: {}', why: /not a mapping/ },
    { name: 'a list in JSON', text: '[{"static_resources":{}}]', why: /not a mapping/ },
    { name: 'an empty mapping', text: '{}', why: /neither an Envoy bootstrap nor a config dump/ },
    { name: 'something of Kubernetes', text: 'apiVersion: v1\nkind: ConfigMap\n', why: /neither/ },
    { name: 'another list of configs', text: '{"configs":[{"a":1}]}', why: /neither/ },
    { name: 'broken YAML', text: 'a: [1', why: /^not valid YAML: / },
    { name: 'broken JSON', text: '{"static_resources":{"listeners":[}', why: /^not valid YAML: / },
    {
      name: 'several documents',
      text: 'node: {}\n---\nnode: {}\n',
      why: /^not valid YAML: .*multiple documents/,
    },
    { name: 'bytes', text: '\u0000\u0001\u0002', why: /not a mapping|not valid YAML/ },
    { name: 'an alias that leads nowhere', text: 'node: *nothing', why: /^not valid YAML: / },
    { name: 'an alias of itself', text: 'node: &a { a: *a }', why: /nested deeper|not valid YAML/ },
    {
      name: 'aliases that multiply',
      text: `a0: &a0 [x]\n${bomb.join('')}node: *a9\n`,
      why: /^not valid YAML: Excessive alias/,
    },
    {
      name: 'lists in lists',
      text: `{"node":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
      why: /nested deeper than 200/,
    },
    {
      name: 'lists in lists in YAML',
      text: `node: ${'['.repeat(5_000)}${']'.repeat(5_000)} # x`,
      why: /nested deeper than 200|not valid YAML/,
    },
    {
      name: 'indentation without end',
      text: Array.from({ length: 2_000 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n'),
      why: /nested deeper than 200/,
    },
    {
      name: '10 MB of YAML',
      text: `node:\n${'- a\n'.repeat(2_500_000)}`,
      why: /larger than 4 MiB/,
    },
  ]
  for (const { name, text, why } of cases) {
    it(`is refused as a configuration: ${name}`, () => assert.match(reasonFor(text), why))
  }

  it('says where the YAML breaks', () => {
    const result = lint('node:\n  id: [x\n')
    assert.ok(!result.ok)
    assert.deepEqual(result.position?.line, 3)
  })
})

describe('a configuration that makes little sense', () => {
  const cases: readonly { readonly name: string; readonly text: string }[] = [
    { name: 'scalars for messages', text: 'static_resources: 5\nadmin: x\n' },
    { name: 'lists for messages', text: 'static_resources: []\nnode: [1]\n' },
    { name: 'messages for lists', text: 'static_resources: { listeners: { a: 1 }, clusters: 7 }' },
    {
      name: 'nothing in lists',
      text: 'static_resources: { listeners: [null, {}, 1], clusters: [null] }',
    },
    {
      name: 'extensions of unknown types',
      text: 'static_resources: { listeners: [{ filter_chains: [{ filters: [{ name: x, typed_config: { "@type": 7 } }] }] }] }',
    },
    {
      name: 'names of what every object has',
      text: 'static_resources: { __proto__: { listeners: [] }, constructor: { a: 1 } }',
    },
  ]
  for (const { name, text } of cases) {
    it(`has nothing that asks authz: ${name}`, () => {
      assert.deepEqual(found(text), [{ rule: 'ext-authz-missing', severity: 'error', at: '' }])
    })
  }

  it('with millions of escapes is read', () => {
    const text = `{"node":{"id":"${String.raw`\\\"\n`.repeat(2_000_000)}"},"admin":[],"admin":{}}`
    assert.deepEqual(
      found(text).map(({ at }) => at),
      ['', 'admin'],
    )
  })

  it('of 10 MB is checked in seconds', () => {
    const clusters = Array.from({ length: 2_000 }, (_, index) => ({
      name: `c${index}`,
      metadata: 'x'.repeat(5_000),
    }))
    const document = changed([[`${AUTHZ}.failure_mode_allow`, true]])
    const text = JSON.stringify({ ...Object(document), more: clusters })
    assert.ok(text.length > 10_000_000)
    const started = cpuTime()
    assert.deepEqual(
      found(text).map(({ rule }) => rule),
      ['failure-allowed'],
    )
    assert.ok(cpuTime() - started < 20_000)
  })
})
