// The configurations that the chart renders, held against the file system that each container has:
// whatever they name has to be mounted there, readable and right. Judged by the commands themselves and
// by the real Envoy.

import assert from 'node:assert/strict'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { countersign } from '../../cli/run.ts'
import { skipWithoutEnvoy, validateBootstrap } from '../../servers/envoy.ts'
import { temporaryFolder, type TemporaryFolder } from '../../servers/temporary.ts'
import { below, mountFiles, usersObjects, type Namespace } from './files.ts'
import {
  containerOf,
  readObjects,
  render,
  skipWithoutHelm,
  VALUE_SETS,
  type Rendered,
} from './rendered.ts'
import { MANIFESTS } from '../../../scripts/kubernetes-manifests.ts'

const CONFIG = '/etc/countersign/config/countersign.yaml'
const SIGNER_CONFIG = '/etc/countersign/config/signer.yaml'
const ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount'

/** The command with these arguments ends with a status. */
const ends = async (status: number, args: readonly string[]): Promise<void> => {
  const result = await countersign(args)
  assert.equal(result.status, status, result.stderr)
}

/** `inCluster` reads where no test may write; this says the same in more words. */
const outside = (text: string): string =>
  text.replaceAll(
    /^( *)inCluster: true$/gm,
    (_line, indent: string) =>
      `${indent}server: https://10.96.0.1:443\n${indent}ca: ${ACCOUNT}/ca.crt\n${indent}token: file:${ACCOUNT}/token`,
  )

const skip = skipWithoutHelm()

describe('a rendered configuration of the chart', { skip, timeout: 120_000 }, () => {
  let made: Namespace
  before(async () => {
    made = await usersObjects()
  })

  /** The container's own view, below a folder. */
  const fileSystem = async (
    { pods, configMaps }: Rendered,
    part: 'authz' | 'envoy',
    name: string,
  ): Promise<TemporaryFolder> => {
    const folder = await temporaryFolder()
    const [template, { path: root }] = [pods(part), folder]
    const container = containerOf(template, name)
    const namespace = { ...made, configMaps: { ...made.configMaps, ...configMaps } }
    await mountFiles(root, template, container, namespace, (text) => below(root, outside(text)))
    if (template.spec.automountServiceAccountToken) {
      await mkdir(join(root, ACCOUNT), { recursive: true })
      const { 'ca.crt': ca = '' } = made.configMaps['kube-root-ca.crt'] ?? {}
      await writeFile(join(root, ACCOUNT, 'ca.crt'), ca)
      await writeFile(join(root, ACCOUNT, 'token'), 'e30.e30.e30')
    }
    for (const { name: variable, valueFrom } of container.env) {
      const { secretKeyRef: from } = valueFrom ?? {}
      if (from !== undefined) process.env[variable] = made.secrets[from.name]?.[from.key]
    }
    return folder
  }

  const judged = (
    rendered: () => Promise<Rendered>,
    sets: { readonly envoy: boolean; readonly plaintext: boolean },
  ): void => {
    it('is valid for authz, in its container', async () => {
      await using folder = await fileSystem(await rendered(), 'authz', 'authz')
      await ends(0, ['validate', '--no-envoy-files', '--config', `${folder.path}${CONFIG}`])
    })

    it('is valid for the signer, in its container', async (t) => {
      const { configMaps, ...rest } = await rendered()
      if (configMaps['countersign-signer'] === undefined) return t.skip('there is no signer')
      await using folder = await fileSystem({ configMaps, ...rest }, 'envoy', 'signer')
      await ends(0, ['validate', '--signer', `${folder.path}${SIGNER_CONFIG}`])
    })

    it(
      'makes an Envoy that the real one takes, in its container, and lint finds only what the values request',
      { skip: !sets.envoy || skipWithoutEnvoy() },
      async () => {
        const chart = await rendered()
        const { 'countersign-config': own = {}, 'countersign-envoy': given = {} } = chart.configMaps
        await using pod = await temporaryFolder()
        const [config, bootstrap] = [pod.file('countersign.yaml'), pod.file('envoy.yaml')]
        const rate = pod.file('rate.json')
        await writeFile(config, own['countersign.yaml'] ?? '')
        await writeFile(bootstrap, given['envoy.yaml'] ?? '')
        const { args } = containerOf(chart.pods('envoy'), 'bootstrap')
        const here = args.map((argument) =>
          argument
            .replace('/etc/envoy/envoy.yaml', bootstrap)
            .replace('/etc/envoy/rate.json', rate)
            .replace(/^\/etc\/envoy$/, pod.path)
            .replace(CONFIG, config),
        )
        await ends(0, here)
        const lint = ['envoy', 'lint', bootstrap, '--config', config, '--strict']
        await ends(sets.plaintext ? 1 : 0, lint)
        await using folder = await fileSystem(chart, 'envoy', 'envoy')
        const text = below(folder.path, await readFile(bootstrap, 'utf8'))
        await validateBootstrap(text.replaceAll(`${folder.path}${pod.path}`, pod.path))
      },
    )
  }

  for (const [name, values] of Object.entries(VALUE_SETS)) {
    describe(`with ${name}`, () => {
      judged(() => render(values), {
        envoy: values.example !== 'istio',
        plaintext: JSON.stringify(values).includes('"tls":{"enabled":false}'),
      })
    })
  }

  describe('of the manifests', () => {
    judged(async () => readObjects(await readFile(MANIFESTS, 'utf8')), {
      envoy: true,
      plaintext: false,
    })
  })
})
