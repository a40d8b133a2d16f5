/** An organization's objects and records, as tests may change them. */
export type SalesforceWorld = {
  organization: string;
  users: SalesforceUser[];
  objects: SalesforceObject[];
  records: SalesforceRecord[];
  reports: Map<string, unknown>;
  /** Requests of 24 hours. */
  usage: { used: number; of: number };
  /** Rows of one page of a query. */
  batch: number;
};
export type SalesforceUser = {
  id: string;
  account: string;
  organization: string;
  username: string;
  email: string;
  federation?: string;
  active: boolean;
  readOnly?: true;
};
export type SalesforceField = {
  name: string;
  type: string;
  parent?: [relationship: string, ...objects: string[]];
  fixed?: true;
  required?: true;
  choices?: string[];
};
export type SalesforceObject = {
  name: string;
  prefix: string;
  fields: SalesforceField[];
  children?: [relationship: string, object: string, field: string][];
};
export type SalesforceRecord = { object: string; Id: string; [field: string]: string | number | boolean | null };

const id: SalesforceField = { name: 'Id', type: 'id', fixed: true };
const name: SalesforceField = { name: 'Name', type: 'string', required: true };
const owner: SalesforceField = { name: 'OwnerId', type: 'reference', parent: ['Owner', 'User'] };

export const salesforceWorld = (): SalesforceWorld => ({
  organization: '00D000000000001EAA',
  users: [
    {
      id: '005000000000001AAA',
      account: 'ada',
      organization: '00D000000000001EAA',
      username: 'ada@acme.example.sf',
      email: 'ada@acme.example',
      federation: 'ada@acme.example',
      active: true,
    },
    {
      id: '005000000000002AAA',
      account: 'grace',
      organization: '00D000000000001EAA',
      username: 'grace@acme.example.sf',
      email: 'grace@acme.example',
      active: true,
      readOnly: true,
    },
    {
      id: '005000000000003AAA',
      account: 'gatehouse',
      organization: '00D000000000001EAA',
      username: 'gatehouse@acme.example',
      email: 'it@acme.example',
      active: true,
    },
    {
      id: '005000000000004AAA',
      account: 'twin',
      organization: '00D000000000001EAA',
      username: 'twin1@acme.example',
      email: 'twin@acme.example',
      active: true,
    },
    {
      id: '005000000000005AAA',
      account: 'twin2',
      organization: '00D000000000001EAA',
      username: 'twin2@acme.example',
      email: 'twin@acme.example',
      active: true,
    },
    {
      id: '005000000000006AAA',
      account: 'leaver',
      organization: '00D000000000001EAA',
      username: 'leaver@acme.example',
      email: 'leaver@acme.example',
      active: false,
    },
    {
      id: '005000000000007AAA',
      account: 'mallory',
      organization: '00D000000000666EAA',
      username: 'mallory@evil.example',
      email: 'mallory@evil.example',
      active: true,
    },
    {
      id: '005000000000008AAA',
      account: 'pat',
      organization: '00D000000000777EAA',
      username: 'pat@mail.example',
      email: 'pat@mail.example',
      active: true,
    },
  ],
  objects: [
    {
      name: 'Account',
      prefix: '001',
      fields: [
        id,
        name,
        { name: 'Industry', type: 'picklist', choices: ['Energy', 'Retail'] },
        { name: 'ParentId', type: 'reference', parent: ['Parent', 'Account'] },
        owner,
      ],
      children: [
        ['Contacts', 'Contact', 'AccountId'],
        ['Cases', 'Case', 'AccountId'],
      ],
    },
    {
      name: 'Contact',
      prefix: '003',
      fields: [
        id,
        name,
        { name: 'Email', type: 'email' },
        { name: 'AccountId', type: 'reference', parent: ['Account', 'Account'] },
      ],
    },
    {
      name: 'Opportunity',
      prefix: '006',
      fields: [
        id,
        name,
        { name: 'Amount', type: 'currency' },
        { name: 'StageName', type: 'picklist', required: true, choices: ['Open', 'Won'] },
        { name: 'AccountId', type: 'reference', parent: ['Account', 'Account'] },
      ],
    },
    {
      name: 'Case',
      prefix: '500',
      fields: [
        id,
        { name: 'Subject', type: 'string' },
        { name: 'AccountId', type: 'reference', parent: ['Account', 'Account'] },
      ],
    },
    {
      name: 'User',
      prefix: '005',
      fields: [
        id,
        name,
        { name: 'Username', type: 'string' },
        { name: 'Email', type: 'email' },
        { name: 'FederationIdentifier', type: 'string' },
        { name: 'IsActive', type: 'boolean' },
        { name: 'UserType', type: 'string' },
      ],
    },
  ],
  records: [
    {
      object: 'Account',
      Id: '001000000000001AAA',
      Name: 'Acme',
      Industry: 'Energy',
      ParentId: null,
      OwnerId: '005000000000001AAA',
    },
    {
      object: 'Account',
      Id: '001000000000002AAA',
      Name: "O'Neil & Sons",
      Industry: 'Retail',
      ParentId: '001000000000001AAA',
      OwnerId: '005000000000001AAA',
    },
    {
      object: 'Contact',
      Id: '003000000000001AAA',
      Name: 'Grace Hopper',
      Email: 'grace@customer.example',
      AccountId: '001000000000001AAA',
    },
    {
      object: 'Opportunity',
      Id: '006000000000001AAA',
      Name: 'Turbines',
      Amount: 120000.5,
      StageName: 'Open',
      AccountId: '001000000000001AAA',
    },
    { object: 'Case', Id: '500000000000001AAA', Subject: 'Secret complaint', AccountId: '001000000000001AAA' },
  ],
  reports: new Map<string, unknown>([
    [
      '00O000000000001AAA',
      {
        attributes: { reportName: 'Pipeline' },
        allData: true,
        hasDetailRows: true,
        reportMetadata: {
          name: 'Pipeline',
          detailColumns: ['OPPORTUNITY_NAME', 'AMOUNT'],
          aggregates: ['s!AMOUNT', 'RowCount'],
        },
        reportExtendedMetadata: {
          detailColumnInfo: { OPPORTUNITY_NAME: { label: 'Opportunity Name' }, AMOUNT: { label: 'Amount' } },
          aggregateColumnInfo: { 's!AMOUNT': { label: 'Sum of Amount' }, RowCount: { label: 'Record Count' } },
        },
        groupingsDown: { groupings: [{ key: '0', label: 'Open', value: 'Open', groupings: [] }] },
        groupingsAcross: { groupings: [] },
        factMap: {
          '0!T': {
            aggregates: [
              { label: 'USD 120,000.50', value: 120000.5 },
              { label: '1', value: 1 },
            ],
            rows: [
              {
                dataCells: [
                  { label: 'Turbines', value: '006' },
                  { label: 'USD 120,000.50', value: {} },
                ],
              },
            ],
          },
          'T!T': {
            aggregates: [
              { label: 'USD 120,000.50', value: 120000.5 },
              { label: '1', value: 1 },
            ],
            rows: [],
          },
        },
      },
    ],
  ]),
  usage: { used: 25, of: 15000 },
  batch: 2000,
});
