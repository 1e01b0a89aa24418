// The values of the chart, as a schema: chart/values.yaml and chart/values.schema.json are generated
// from it (`npm run generate`). What Kubernetes itself defines is left for the API server to check.

import { z } from 'zod'
import { authzSchema } from './authz.ts'
import { certManagerSchema } from './certificates.ts'
import { apiServerSchema, networkPolicySchema, stateSchema } from './cluster.ts'
import { image, kubernetesObject, kubernetesObjects, name } from './common.ts'
import { envoySchema, signerSchema } from './envoy.ts'
import { helmTestSchema, monitoringSchema } from './monitoring.ts'

/** The values of the chart. */
export const chartValuesSchema = z
  .strictObject({
    global: kubernetesObject
      .optional()
      .describe('Not used: Helm gives it to every chart that is part of another.'),
    nameOverride: z.string().default('').describe('In place of the chart’s name in labels.'),
    fullnameOverride: z.string().default('').describe('What the names of all objects begin with.'),
    clusterDomain: z.string().min(1).default('cluster.local').describe('The DNS domain.'),
    image: z
      .strictObject(image('countersign', ''))
      .prefault({})
      .describe('Countersign: `docker build -t REGISTRY/countersign .`'),
    imagePullSecrets: kubernetesObjects.default([]).describe('Credentials for the registries.'),
    config: kubernetesObject
      .default({})
      .describe(
        'countersign.yaml: authenticators, routes, issuer, tests, and of `envoy` the upstreams. The chart writes listen, state, certificateGrants and addresses. Empty: nothing is published.',
      ),
    authz: authzSchema,
    envoy: envoySchema,
    signer: signerSchema,
    certificateGrants: z
      .strictObject({
        secret: name
          .default('countersign-grants')
          .describe('The Secret with grant.keys (`countersign keys grant`); read with the signer.'),
      })
      .prefault({})
      .describe('What authz and the signer share.'),
    certManager: certManagerSchema,
    state: stateSchema,
    apiServer: apiServerSchema,
    networkPolicy: networkPolicySchema,
    monitoring: monitoringSchema,
    helmTest: helmTestSchema,
  })
  .describe('Values of the Countersign chart.')
