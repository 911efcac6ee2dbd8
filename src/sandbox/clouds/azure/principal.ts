/** The sandbox's one service principal. Its secret opens nothing but the sandbox. */
export const sandboxPrincipal = {
  tenant: '11111111-5a4d-4b0c-8000-000000000001',
  client: '22222222-5a4d-4b0c-8000-000000000002',
  object: '33333333-5a4d-4b0c-8000-000000000003',
  secret: 'sandbox-client-secret',
  subscription: '44444444-5a4d-4b0c-8000-000000000004',
} as const;

/** For whoever sets the scene: it may do everything. Same tenant and subscription. */
export const sandboxAdministrator = {
  client: '55555555-5a4d-4b0c-8000-000000000005',
  object: '66666666-5a4d-4b0c-8000-000000000006',
  secret: 'sandbox-administrator-secret',
} as const;
