// `client` of sections that connect to servers over TLS: the client certificate.

import * as z from 'zod'
import { fileSchema, secretSchema } from '../config/values.ts'

/** A client certificate and its key. */
export const tlsClientSchema = z
  .strictObject({
    certificate: fileSchema.describe('PEM file: the certificate with its chain.'),
    key: secretSchema.describe('Its private key, PEM.'),
  })
  .describe('The client certificate for the servers.')
