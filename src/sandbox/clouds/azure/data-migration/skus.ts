import { ArmError } from '../arm-error.ts';

interface Sku {
  readonly name: string;
  readonly tier: string;
  readonly size: string;
}

const skus: readonly Sku[] = [
  { name: 'Standard_1vCore', tier: 'Standard', size: '1 vCore' },
  { name: 'Standard_2vCores', tier: 'Standard', size: '2 vCores' },
  { name: 'Standard_4vCores', tier: 'Standard', size: '4 vCores' },
  { name: 'Premium_4vCores', tier: 'Premium', size: '4 vCores' },
];

/** The whole of what a body names, as the service completes it. @throws ArmError for one that is not sold */
export function skuOf(name: string = 'Standard_1vCore'): Sku {
  const found = skus.find((sku) => sku.name.toLowerCase() === name.toLowerCase());
  if (found !== undefined) return found;
  throw new ArmError(
    400,
    'InvalidSku',
    `The SKU '${name}' is not supported. Supported SKUs: ${skus.map((sku) => sku.name).join(', ')}.`,
  );
}

/** Only Premium follows changes. */
export function migratesOnline({ tier }: Sku): boolean {
  return tier === 'Premium';
}
