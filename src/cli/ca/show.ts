// `countersign ca show`: prints the contents of certificates and requests in a file.

import { readFile } from 'node:fs/promises'
import { Command } from 'commander'
import { CountersignError, describeError } from '../../runtime/errors.ts'
import { decodePem } from '../../x509/pem.ts'
import type { CommandContext } from '../context.ts'
import { usageError } from '../usage-error.ts'
import { absolute } from './options.ts'
import { certificateSummary, requestSummary } from './summary.ts'
import { x509 } from './x509.ts'

/** The command. */
export const showCommand = ({ process }: CommandContext): Command =>
  new Command('show')
    .description(
      'print the certificates and certificate requests in a file: subject, issuer, names, usages, validity, serial number, fingerprint. Private keys are not shown',
    )
    .argument('<file>', 'a file in PEM, or a certificate in DER', absolute)
    .action(async (file: string) => {
      process.stdout.write(await summaryOf(file))
    })

const summaryOf = async (file: string): Promise<string> => {
  const bytes = await readFile(file).catch((cause: unknown) => {
    throw new CountersignError('file-unreadable', `${file}: ${describeError(cause)}`, { cause })
  })
  const text = bytes.toString('latin1')
  const certificates = decodePem('CERTIFICATE', text)
  const requests = ['CERTIFICATE REQUEST', 'NEW CERTIFICATE REQUEST'].flatMap((label) =>
    decodePem(label, text),
  )
  if (certificates.length + requests.length > 0) {
    return [
      ...numbered(
        'certificate',
        certificates.map((der) => shownCertificate(der, file)),
      ),
      ...numbered(
        'certificate request',
        await Promise.all(requests.map((der) => shownRequest(der, file))),
      ),
    ].join('\n')
  }
  if (text.includes('PRIVATE KEY-----')) {
    throw usageError(`${file} holds a private key, which is not shown; name the certificate`)
  }
  return `certificate\n${shownCertificate(bytes, file)}`
}

const numbered = (kind: string, summaries: readonly string[]): readonly string[] =>
  summaries.map((summary, index) =>
    summaries.length === 1
      ? `${kind}\n${summary}`
      : `${kind} ${index + 1} of ${summaries.length}\n${summary}`,
  )

const shownCertificate = (der: Buffer, file: string): string =>
  readable(file, () => certificateSummary(new x509.X509Certificate(der), Date.now()))

const shownRequest = async (der: Buffer, file: string): Promise<string> => {
  const request = readable(file, () => new x509.Pkcs10CertificateRequest(der))
  const isProven = await request.verify().catch(() => false)
  return readable(file, () => requestSummary(request, isProven))
}

const readable = <T>(file: string, read: () => T): T => {
  try {
    return read()
  } catch (cause) {
    throw usageError(
      `${file} cannot be read as a certificate or certificate request: ${describeError(cause)}`,
    )
  }
}
