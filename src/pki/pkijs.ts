// pkijs, with names that its declarations need and do not declare: those of the browser's library, which is
// not part of `lib: ["esnext"]`. Node has every one of them. (The other names are declared together with
// @peculiar/x509, in `cli/ca/x509.ts`: a name can be declared once.)

import type { webcrypto } from 'node:crypto'

export {
  Certificate,
  CertificateChainValidationEngine,
  CryptoEngine,
  Extension,
  RelativeDistinguishedNames,
  Time,
} from 'pkijs'

declare global {
  type AesCbcParams = webcrypto.AesCbcParams
  type AesCtrParams = webcrypto.AesCtrParams
  type AesDerivedKeyParams = webcrypto.AesDerivedKeyParams
  type AesGcmParams = webcrypto.AesGcmParams
  type AesKeyAlgorithm = webcrypto.AesKeyAlgorithm
  type AesKeyGenParams = webcrypto.AesKeyGenParams
  type EcKeyAlgorithm = webcrypto.EcKeyAlgorithm
  type EcdhKeyDeriveParams = webcrypto.EcdhKeyDeriveParams
  type HkdfParams = webcrypto.HkdfParams
  type HmacImportParams = webcrypto.HmacImportParams
  type HmacKeyGenParams = webcrypto.HmacKeyGenParams
  type JsonWebKey = webcrypto.JsonWebKey
  type KeyFormat = webcrypto.KeyFormat
  type RsaHashedKeyGenParams = webcrypto.RsaHashedKeyGenParams
  type RsaOaepParams = webcrypto.RsaOaepParams
  type RsaPssParams = webcrypto.RsaPssParams
  type Pbkdf2Params = webcrypto.Pbkdf2Params
  // The library's engine extends this, with a getPublicKey of its own and without the newest methods.
  type SubtleCrypto = Omit<
    webcrypto.SubtleCrypto,
    'getPublicKey' | 'decapsulateBits' | 'decapsulateKey' | 'encapsulateBits' | 'encapsulateKey'
  >
}
