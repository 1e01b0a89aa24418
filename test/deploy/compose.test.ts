// docker-compose.yml: that everything in it is confined, that its parts fit each other and the
// configurations next to it. Whether it runs is shown by scripts/compose-test.ts.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { resolve } from 'node:path'
import { USERS } from '../../demo/tour.ts'
import { parseConfig } from '../../src/configuration/parse.ts'
import { parseSignerConfig } from '../../src/ca/parse.ts'
import { formatAddress, type Address, type SecretReference } from '../../src/config/values.ts'
import { renderBootstrap } from '../../src/envoy/bootstrap.ts'
import { compose, mountsOf, read, ROOT, service, services } from './compose.ts'

const LASTING = services.filter(([, { restart }]) => restart !== undefined)

describe('every service', () => {
  for (const [name, settings] of services) {
    it(`${name} is confined`, () => {
      assert.match(settings.user ?? '', /^[1-9]\d{4}:[1-9]\d{4}$/)
      assert.equal(settings.read_only, true)
      assert.deepEqual(settings.cap_drop, ['ALL'])
      assert.deepEqual(settings.security_opt, ['no-new-privileges:true'])
      assert.equal(settings.cap_add, undefined)
      assert.equal(settings.privileged, undefined)
      assert.notEqual(settings.network_mode, 'host')
      assert.ok(mountsOf(settings).every(({ source }) => !source.startsWith('/')))
    })

    it(`${name} runs an image that can be configured`, () => {
      assert.match(settings.image, /^\$\{COUNTERSIGN_([A-Z]+_)?IMAGE:-[^}]+\}$/)
      for (const base of Object.values(settings.build?.args ?? {})) {
        assert.match(base, /^\$\{COUNTERSIGN_[A-Z]+_IMAGE:-[^}]+\}$/)
      }
    })
  }

  it('has a user of its own, except for services of one image that end at once', () => {
    const users = LASTING.map(([, { user }]) => user)
    assert.equal(new Set(users).size, users.length)
    assert.ok(!users.includes(service('setup').user))
  })

  it('every service that keeps running has a health check and waits for what it needs', () => {
    assert.ok(LASTING.length > 2)
    for (const [, { healthcheck, depends_on = {} }] of LASTING) {
      assert.equal(healthcheck?.test[0], 'CMD') // no shell
      const conditions = Object.entries(depends_on)
      assert.ok(conditions.length > 0)
      for (const [needed, { condition }] of conditions) {
        const once = needed === 'setup'
        assert.equal(condition, once ? 'service_completed_successfully' : 'service_healthy')
      }
    }
  })
})

describe('the network of docker-compose.yml', () => {
  it('can be reached through Envoy only, by default from this machine only', () => {
    const published = services.filter(([, { ports }]) => ports !== undefined)
    assert.deepEqual(
      published.map(([name, { ports }]) => [name, ports]),
      [['envoy', ['${COUNTERSIGN_PUBLISH:-127.0.0.1:8443}:8443']]],
    )
  })

  it('connects Envoy and the upstream; the upstream cannot reach other networks', () => {
    const online = services.filter(([, { network_mode: mode }]) => mode !== 'none')
    assert.deepEqual(
      online.map(([name, { networks }]) => [name, networks]),
      [
        ['upstream', ['backend']],
        ['envoy', ['edge', 'backend']],
      ],
    )
    assert.equal(compose.networks['backend']?.internal, true)
  })
})

describe('the volumes of docker-compose.yml', () => {
  const SOCKETS = Object.keys(compose.volumes).filter((name) => name.endsWith('-socket'))

  for (const name of Object.keys(compose.volumes).filter((volume) => !SOCKETS.includes(volume))) {
    it(`${name} is written by the setup and read by one service`, () => {
      const users = services.flatMap(([by, settings]) =>
        mountsOf(settings)
          .filter(({ source }) => source === name)
          .map((mount) => ({ by, ...mount })),
      )
      assert.ok(users.every(({ target }) => target === `/var/lib/countersign/${name}`))
      assert.deepEqual(Object.fromEntries(users.map(({ by, writable }) => [by, writable])), {
        setup: true,
        [name]: false,
      })
      const group = service(name).user?.split(':')[1] ?? ''
      assert.ok(service('setup').command?.includes(`${name}=${group}`))
      assert.ok(service('setup').group_add?.includes(group))
    })
  }

  for (const name of SOCKETS) {
    it(`${name} belongs to the service that listens, and Envoy only can open it`, () => {
      const owner = name.replace(/-socket$/, '')
      const target = `/run/countersign/${owner}`
      const users = services.flatMap(([by, settings]) =>
        mountsOf(settings)
          .filter(({ source }) => source === name)
          .map(({ target: at, writable }) => [by, at, writable]),
      )
      assert.deepEqual(users, [
        [owner, target, true],
        ['envoy', target, false],
      ])
      const uid = service(owner).user?.split(':')[0]
      const gid = service('envoy').user?.split(':')[1]
      const options = compose.volumes[name]?.driver_opts?.o.split(',') ?? []
      // The set-group-id bit hands the folder's group on to the socket.
      for (const option of ['mode=2750', `uid=${uid}`, `gid=${gid}`]) {
        assert.ok(options.includes(option), option)
      }
    })
  }
})

const configFile = (name: string): string => resolve(ROOT, 'deploy/compose', name)
const parsed = parseConfig(configFile('countersign.yaml'), read('deploy/compose/countersign.yaml'))
const parsedSigner = parseSignerConfig(
  configFile('signer.yaml'),
  read('deploy/compose/signer.yaml'),
)

describe('the configurations of docker-compose.yml', () => {
  assert.ok(parsed.ok, JSON.stringify(parsed))
  assert.ok(parsedSigner.ok, JSON.stringify(parsedSigner))
  const { config } = parsed
  const { value: signer } = parsedSigner
  const { envoy, certificateGrants } = config
  assert.ok(envoy)
  assert.ok(certificateGrants)

  /** Every path is one that the service finds in its volumes. */
  const within = (name: string, paths: readonly (string | undefined)[]): void => {
    for (const path of paths.filter((candidate) => candidate !== undefined)) {
      assert.ok(
        mountsOf(service(name)).some(({ target }) => path.startsWith(`${target}/`)),
        `${name} has no ${path}`,
      )
    }
  }

  const pathOf = (reference: Address | SecretReference): string =>
    'path' in reference ? reference.path : assert.fail(`${reference.kind} instead of a file`)

  it('name files and sockets in volumes of the service', () => {
    const verifiers = Object.values(config.authenticators).flatMap(
      ({ basic }) => basic?.verify ?? [],
    )
    within('authz', [
      pathOf(config.listen.authz.address),
      pathOf(certificateGrants.keyring),
      ...verifiers.flatMap(({ users }) => users?.file ?? []),
    ])
    within('signer', [
      pathOf(signer.listen.address),
      pathOf(signer.keyring),
      ...Object.values(signer.authorities).flatMap(({ certificate, key }) => [
        certificate,
        pathOf(key),
      ]),
    ])
    within('envoy', [
      pathOf(config.listen.authz.address),
      pathOf(envoy.signerAddress ?? assert.fail('no signer')),
      envoy.listener.certificate,
      envoy.listener.key,
      ...Object.values(envoy.upstreams).flatMap(({ ca, certificate, key }) => [
        ca,
        certificate,
        key,
      ]),
    ])
  })

  it('listen where the health checks connect, and where Envoy connects', () => {
    const addressOf = (name: string): string | undefined =>
      service(name).environment?.['COUNTERSIGN_HEALTH_ADDRESS']
    assert.equal(addressOf('authz'), formatAddress(config.listen.authz.address))
    assert.equal(addressOf('signer'), formatAddress(signer.listen.address))
    assert.deepEqual(envoy.signerAddress, signer.listen.address)
  })

  it('have Envoy listen on the published port, and forward to a service', () => {
    assert.deepEqual(envoy.listener.address, { kind: 'tcp', host: '0.0.0.0', port: 8443 })
    for (const address of Object.values(envoy.upstreams).flatMap((upstream) => upstream.address)) {
      assert.ok(address.kind === 'tcp')
      assert.ok(service(address.host).networks?.includes('backend'))
    }
  })

  it('request certificates within the limits of the signer', () => {
    const templates = config.routes.flatMap(({ forward: { certificate } }) => certificate ?? [])
    assert.equal(templates.length, 1)
    for (const { ca, lifetime, backdate } of templates) {
      const { limits } = signer.authorities[ca] ?? assert.fail(`there is no CA ${ca}`)
      assert.ok(lifetime + backdate <= limits.lifetime)
      const groups = new Set(Object.values(USERS).flatMap((user) => user.groups))
      assert.deepEqual(new Set(limits.subject['O']), groups)
    }
  })

  it('suffice for an Envoy bootstrap', () => {
    assert.match(renderBootstrap(config), /^static_resources:/m)
  })
})
