export const SCHEMA_FILE = 'skyferry.schema.json';

/** What `skyferry init` writes. A test validates it, so that it cannot go stale. */
export const configTemplate = `# yaml-language-server: $schema=./${SCHEMA_FILE}
#
# One migration: schemas of one source server that move together.
# Secrets are references, resolved on the worker at the moment of use:
#   \${env:NAME}   a variable of the worker's environment
#   \${file:path}  a file below the directory given to \`skyferry worker --secrets\`
#   \${aws-secret:name#key}  a member of a JSON secret in AWS Secrets Manager
# examples/rds-to-azure.yaml: from RDS to an Azure server that is made for it, DNS and secrets switched.

name: shop                      # the workflow's id becomes migration/shop

source:                         # in RDS, in place of host and port:
  # kind: rds-mysql             # or aurora-mysql, with cluster in place of instance
  # region: eu-central-1
  # instance: shop-prod
  host: ec2-3-120-0-17.eu-central-1.compute.amazonaws.com
  port: 3306
  user: skyferry_src            # SELECT, SHOW VIEW, TRIGGER, EVENT, SHOW_ROUTINE, REPLICATION SLAVE and CLIENT
  password: \${env:SOURCE_PASSWORD}
  tls:
    mode: verify-identity       # the host name is always verified
    ca: \${file:source-ca.pem}
  fence:                        # the account that stops writes for the seconds of the cutover
    user: skyferry_fence
    password: \${env:FENCE_PASSWORD}

target:                         # to have it made or changed in Azure, in place of host and port:
  # kind: azure-mysql-flexible
  # subscription: 00000000-0000-4000-8000-000000000001
  # resourceGroup: shop-databases
  # server: shop
  # create:                     # without it the server must be there
  #   location: germanywestcentral
  #   storageGb: 128
  #   network: { access: public }
  # sku: { load: Standard_D8ds_v4, run: Standard_D2ds_v4 }
  host: shop.mysql.database.azure.com
  user: skyferry_tgt
  password: \${env:TARGET_PASSWORD}
  tls:
    ca: \${file:azure-roots.pem}

schemas: [shop]

method: online                  # full load, then changes until the cutover
engine: built-in                # Skyferry itself; or native, azure-dms, auto: docs/engines.md, and \`skyferry plan\` compares them
# native:                       # changes by the target's own replication
#   sourceHost: 10.1.2.3        # where the target reaches the source, if not under source.host
# azureDms:                     # rows and changes by Azure's Database Migration Service: costs money
#   subnet: /subscriptions/00000000-0000-4000-8000-000000000001/resourceGroups/shop-network/providers/Microsoft.Network/virtualNetworks/migration/subnets/dms

cutover:
  lagThreshold: 5s              # below it for lagSamples readings in a row, it counts as caught up
  lagSamples: 3
  # window:                     # when the cutover may begin; without it: at any time
  #   days: [sat, sun]
  #   from: "02:00"
  #   to: "04:30"
  #   timeZone: Europe/Berlin
  approval:
    required: true
    expiresAfter: 4h
  fence: auto                   # what the fence account may do: super-read-only, on RDS account-lock
  # otherSchemasMayBeFenced: [] # a server-wide fence stops these too
  downtimeBudget: 60s           # exceeded before the switch: the source takes writes again by itself
  switches:
    - consumer: shop-api        # one for each application
      kind: file                # or command, azure-dns, azure-private-dns, route53, rfc2136, aws-secret
      path: shop-api.env        # below a directory given to \`skyferry worker --switch-dir\`
      from: ec2-3-120-0-17.eu-central-1.compute.amazonaws.com:3306
      to: shop.mysql.database.azure.com:3306
      # account:                # logged in to the target before the fence
      #   user: shop_api
      #   password: \${env:SHOP_API_PASSWORD}

verification:
  chunkRows: 20000
  parallel: 2

limits:
  copyParallel: 4
  chunkRows: 50000
  indexParallel: 2
  applyBatchRows: 5000

preflight:
  accept: []                    # codes of warnings that are known and accepted
`;
