// OCSP responders and CRLs that are configured by URL. Those that certificates name are known only with a certificate.

import { fileOf, ok, type Bench, type Examination, type Judgement } from './examination.ts'
import { timedFetch } from './timed-fetch.ts'

/** The examinations of every URL. */
export const revocationExaminations = (bench: Bench): readonly Examination[] =>
  Object.entries(bench.config.authenticators).flatMap(([name, { certificate }]) => {
    const { ocsp, crl } = certificate?.revocation ?? {}
    const path = ['authenticators', name, 'certificate', 'revocation']
    return [
      ...(ocsp?.urls ?? []).map((url, index) =>
        urlExamination(bench, {
          area: 'ocsp',
          url,
          ca: ocsp?.ca,
          maxBytes: LARGEST_ANSWER,
          path: [...path, 'ocsp', 'urls', index],
        }),
      ),
      ...(crl?.urls ?? []).map((url, index) =>
        urlExamination(bench, {
          area: 'crl',
          url,
          ca: crl?.ca,
          maxBytes: crl?.maxBytes ?? LARGEST_ANSWER,
          path: [...path, 'crl', 'urls', index],
        }),
      ),
    ]
  })

const LARGEST_ANSWER = 65_536

interface Published {
  readonly area: 'ocsp' | 'crl'
  readonly url: string
  readonly ca: string | undefined
  readonly maxBytes: number
  readonly path: readonly PropertyKey[]
}

const urlExamination = (
  bench: Bench,
  { area, url, ca, maxBytes, path }: Published,
): Examination => ({
  area,
  target: url,
  path,
  ask: async (signal) => {
    const fetch = timedFetch(bench, { ca: await fileOf(ca, bench) })
    const { status, body } = await fetch(
      new URL(url),
      area === 'crl' ? { maxBytes } : { ...EMPTY_REQUEST, maxBytes },
      signal,
    )
    return area === 'crl' ? judgeCrl(status, body) : judgeOcsp(status, body)
  },
})

// RFC 6960 §A.1. What it answers to a request of no certificate is an error of OCSP, by which it is known.
const EMPTY_REQUEST = {
  method: 'POST',
  headers: { 'content-type': 'application/ocsp-request' },
  body: Buffer.from('3000', 'hex'),
} as const

const SEQUENCE = 0x30
const PEM = '-----BEGIN X509 CRL-----'

const judgeCrl = (status: number, body: Buffer): Judgement =>
  status === 200 && (body[0] === SEQUENCE || body.includes(PEM))
    ? ok(`a CRL of ${body.length} bytes`)
    : {
        outcome: 'error',
        message: status === 200 ? 'answers with something else than a CRL' : `answers ${status}`,
        remedy: 'Correct the URL, or publish the CRL there (DER, or PEM)',
      }

/** OCSPResponse ::= SEQUENCE { responseStatus ENUMERATED, … } (RFC 6960 §4.2.1). */
const judgeOcsp = (status: number, body: Buffer): Judgement =>
  status === 200 && body[0] === SEQUENCE
    ? ok('answers as an OCSP responder')
    : {
        outcome: 'warning',
        message: `answers an empty request with ${status}, and not as an OCSP responder does`,
        remedy: 'Check the URL: certificates are refused where their status cannot be known',
      }
