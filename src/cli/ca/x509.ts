// @peculiar/x509, with the two things that it needs and does not bring: a polyfill that it looks for
// while it is imported, and names of the browser's library that its declarations use and that do not
// resolve under `lib: ["esnext"]`.

// oxlint-disable-next-line import/no-unassigned-import -- it is there for what it does to Reflect
import 'reflect-metadata'
import type { webcrypto } from 'node:crypto'

export * as x509 from '@peculiar/x509'

declare global {
  type Crypto = webcrypto.Crypto
  type CryptoKey = webcrypto.CryptoKey
  type Algorithm = webcrypto.Algorithm
  type AlgorithmIdentifier = webcrypto.AlgorithmIdentifier
  type CryptoKeyPair = webcrypto.CryptoKeyPair
  type EcKeyGenParams = webcrypto.EcKeyGenParams
  type EcKeyImportParams = webcrypto.EcKeyImportParams
  type EcdsaParams = webcrypto.EcdsaParams
  type KeyUsage = webcrypto.KeyUsage
  type RsaHashedImportParams = webcrypto.RsaHashedImportParams
  type BufferSource = webcrypto.BufferSource
}
