// What is wrong with us as an issuer of tokens beyond what each key may look like: keys that nobody
// can read, or that are read where anybody on the way could change them.

import type { Locate } from './document.ts'
import type { Problem } from './problem.ts'
import type { Config } from './schema.ts'
import { isLoopback } from './values.ts'

/** The problems of `issuer` and of where it is read. */
export const issuerProblems = ({ issuer, listen }: Config, locate: Locate): readonly Problem[] => {
  const problems: Problem[] = []
  if (issuer !== undefined && listen.issuer === undefined) {
    const message =
      'needs an address where upstreams read the keys, which Envoy publishes: "listen.issuer"'
    problems.push(locate(['issuer'], message))
  }
  if (issuer === undefined && listen.issuer !== undefined) {
    const message = 'there is nothing to be read there without "issuer"'
    problems.push(locate(['listen', 'issuer'], message))
  }
  if (
    listen.issuer !== undefined &&
    !listen.issuer.plaintext &&
    !isLoopback(listen.issuer.address)
  ) {
    const message =
      'a TCP address that is not loopback needs "plaintext: true": whoever can change what is read there can sign tokens'
    problems.push(locate(['listen', 'issuer'], message))
  }
  return problems
}
