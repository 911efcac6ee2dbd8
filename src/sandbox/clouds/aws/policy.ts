/** One statement of an IAM policy, as far as the sandbox evaluates them: `*` and `?` are wildcards. */
export interface Statement {
  readonly Sid: string;
  readonly Effect: 'Allow' | 'Deny';
  readonly Action: readonly string[];
  readonly Resource: readonly string[];
}

export interface Policy {
  readonly Version: '2012-10-17';
  readonly Statement: readonly Statement[];
}

/**
 * What Skyferry's key may do, and no more: docs/aws-to-azure.md quotes it, the sandbox's clouds deny
 * everything else. Parameter groups that are changed or removed are Skyferry's own, by their name.
 */
export const skyferryPolicy: Policy = {
  Version: '2012-10-17',
  Statement: [
    {
      Sid: 'Look',
      Effect: 'Allow',
      Action: [
        'rds:DescribeDBInstances',
        'rds:DescribeDBClusters',
        'rds:DescribeDBProxies',
        'rds:DescribeDBProxyTargets',
        'rds:DescribeDBParameterGroups',
        'rds:DescribeDBParameters',
        'rds:DescribeDBClusterParameterGroups',
        'rds:DescribeDBClusterParameters',
        'rds:DescribePendingMaintenanceActions',
        'rds:ListTagsForResource',
        'cloudwatch:GetMetricData',
      ],
      Resource: ['*'],
    },
    {
      Sid: 'OwnParameterGroups',
      Effect: 'Allow',
      Action: [
        'rds:CreateDBParameterGroup',
        'rds:ModifyDBParameterGroup',
        'rds:DeleteDBParameterGroup',
        'rds:CreateDBClusterParameterGroup',
        'rds:ModifyDBClusterParameterGroup',
        'rds:DeleteDBClusterParameterGroup',
        'rds:AddTagsToResource',
      ],
      Resource: ['arn:aws:rds:*:*:pg:skyferry-*', 'arn:aws:rds:*:*:cluster-pg:skyferry-*'],
    },
    {
      // The group that is copied needs it as well as the copy.
      Sid: 'CopyParameterGroups',
      Effect: 'Allow',
      Action: ['rds:CopyDBParameterGroup', 'rds:CopyDBClusterParameterGroup'],
      Resource: ['arn:aws:rds:*:*:pg:*', 'arn:aws:rds:*:*:cluster-pg:*'],
    },
    {
      Sid: 'PrepareTheSource',
      Effect: 'Allow',
      Action: ['rds:ModifyDBInstance', 'rds:RebootDBInstance', 'rds:ModifyDBCluster'],
      // The group that is attached needs it as well as the server, and so does the one put back.
      Resource: [
        'arn:aws:rds:*:*:db:*',
        'arn:aws:rds:*:*:cluster:*',
        'arn:aws:rds:*:*:pg:*',
        'arn:aws:rds:*:*:cluster-pg:*',
      ],
    },
    {
      Sid: 'SwitchSecrets',
      Effect: 'Allow',
      Action: [
        'secretsmanager:DescribeSecret',
        'secretsmanager:GetSecretValue',
        'secretsmanager:PutSecretValue',
        'secretsmanager:UpdateSecretVersionStage',
      ],
      Resource: ['arn:aws:secretsmanager:*:*:secret:*'],
    },
    {
      Sid: 'SwitchRecords',
      Effect: 'Allow',
      Action: [
        'route53:ListResourceRecordSets',
        'route53:ChangeResourceRecordSets',
        'route53:GetChange',
      ],
      Resource: ['*'],
    },
  ],
};

/** For whoever sets the scene: an account's administrator. */
export const administratorPolicy: Policy = {
  Version: '2012-10-17',
  Statement: [{ Sid: 'Everything', Effect: 'Allow', Action: ['*'], Resource: ['*'] }],
};

/** A Deny wins over every Allow, as IAM has it. */
export function isAllowed(policy: Policy, action: string, resource: string): boolean {
  const applying = policy.Statement.filter(
    (statement) =>
      statement.Action.some((pattern) => matches(pattern, action)) &&
      statement.Resource.some((pattern) => matches(pattern, resource)),
  );
  return applying.length > 0 && applying.every(({ Effect }) => Effect === 'Allow');
}

function matches(pattern: string, text: string): boolean {
  const source = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`).test(text);
}
