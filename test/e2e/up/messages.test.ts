// What `countersign up` prints when Envoy cannot run, and when it ends.

import assert from 'node:assert/strict'
import { chmod, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { parse, stringify } from 'yaml'
import { makeCa } from '../../ca/authorities.ts'
import { countersign } from '../../cli/run.ts'
import { http1 } from '../../servers/client.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { x509 } from '../../servers/x509.ts'
import { ALICE } from '../site.ts'
import {
  exitOf,
  launch,
  startUp,
  writeCertificateSite,
  writeSite,
  type WrittenSite,
} from './running.ts'

const lastLine = (log: string): string => log.trim().split('\n').at(-1) ?? ''

describe('messages of countersign up', { skip: skipWithoutEnvoy() }, () => {
  const PROGRAMS: readonly { name: string; script: string; certificates?: true; want: RegExp }[] = [
    {
      name: 'an Envoy without certificates for each identity',
      script: 'echo "envoy  version: 3909deb1/1.39.4/Clean/RELEASE/BoringSSL"',
      certificates: true,
      want: /envoy is Envoy 1\.39\.4; a route with "forward\.certificate" needs Envoy ≥ 1\.40\. Name another/,
    },
    {
      name: 'an Envoy that is too old',
      script: 'echo "envoy  version: 3909deb1/1.36.9/Clean/RELEASE/BoringSSL"',
      want: /envoy is Envoy 1\.36\.9; up needs Envoy ≥ 1\.37\. Name another/,
    },
    {
      name: 'a program that is not Envoy',
      script: 'echo 1.40.0',
      want: /envoy is not Envoy: ".*--version" prints no version of Envoy\. Name another/,
    },
    {
      name: 'a program that fails',
      script: 'exit 3',
      want: /envoy cannot be run: .* Name another/,
    },
  ]
  for (const { name, script, certificates = false, want } of PROGRAMS) {
    it(`refuses ${name} in one line`, async () => {
      await using site = await (certificates ? writeCertificateSite() : writeSite())
      const program = join(site.folder, 'envoy')
      await writeFile(program, `#!/bin/sh\n${script}\n`)
      await chmod(program, 0o755)
      const { process: child, log } = launch(site.config, { args: ['--envoy', program] })
      assert.equal(await exitOf(child), 1)
      assert.match(log(), want)
      assert.equal(log().trim().split('\n').length, 1, log())
    })
  }

  const FILES: readonly {
    name: string
    field: 'certificate' | 'key'
    text: string
    want: RegExp
  }[] = [
    {
      name: 'a key of another certificate',
      field: 'key',
      text: '',
      want: /^countersign: Envoy does not start: \S*own\.pem is not the key of its certificate$/,
    },
    {
      name: 'a certificate file without a certificate',
      field: 'certificate',
      text: 'hello\n',
      want: /^countersign: Envoy does not start: \S*own\.pem contains no certificate in PEM/,
    },
    {
      name: 'an empty certificate file',
      field: 'certificate',
      text: '\n',
      want: /^countersign: Envoy does not start: \S*own\.pem /,
    },
  ]
  for (const { name, field, text, want } of FILES) {
    it(`names the file and the fault of ${name}`, async () => {
      await using site = await writeSite()
      const config = parse(await readFile(site.config, 'utf8'))
      const file = join(site.folder, 'own.pem')
      const other = config.envoy.upstreams.api.key
      await writeFile(file, text === '' ? await readFile(other, 'utf8') : text)
      config.envoy.listener[field] = file
      await writeFile(site.config, stringify(config))
      const { process: child, log } = launch(site.config)
      assert.equal(await exitOf(child), 1)
      assert.match(lastLine(log()), want)
      assert.doesNotMatch(log(), /goo\.gle|initializing config/)
    })
  }

  it('warns of what validate finds of the files of Envoy, and starts', async () => {
    const write = async (): Promise<WrittenSite> => {
      const site = await writeSite()
      const config = parse(await readFile(site.config, 'utf8'))
      const { certificate, key } = await makeCa({
        extensions: [new x509.BasicConstraintsExtension(false)],
        notAfter: new Date(Date.now() - 60_000),
      })
      const files = { certificate: join(site.folder, 'own.pem'), key: join(site.folder, 'own.key') }
      await writeFile(files.certificate, certificate)
      await writeFile(files.key, key.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o644 })
      Object.assign(config.envoy.listener, files)
      await writeFile(site.config, stringify(config))
      return site
    }
    await using up = await startUp(write)
    const { stderr } = await countersign(['validate', '--config', up.site.config])
    const [time, mode] = up
      .log()
      .split('\n')
      .filter((line) => line.includes(': warning: '))
    assert.match(
      time ?? '',
      /^\S+:\d+:\d+: warning: envoy\.listener\.certificate: .*own\.pem expired at/,
    )
    assert.match(
      mode ?? '',
      /^\S+:\d+:\d+: warning: envoy\.listener\.key: \S+own\.key has mode 0644/,
    )
    // An expired certificate is an error to validate.
    assert.ok(stderr.includes(`${time?.replace('warning: ', '')}\n`), stderr)
    assert.ok(stderr.includes(`${mode}\n`), stderr)
  })

  it('prints nothing after a signal, also where the signer has streams', async () => {
    await using up = await startUp(writeCertificateSite)
    assert.equal((await http1(up.target, { headers: [ALICE] })).status, 200)
    const before = up.log()
    up.process.kill('SIGINT')
    assert.equal(await up.ended, 0)
    assert.equal(up.log().slice(before.length), '')
  })
})
