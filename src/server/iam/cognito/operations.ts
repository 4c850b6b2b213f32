import type * as Sdk from '@aws-sdk/client-cognito-identity-provider';

/** The operations of the user pools API that the gateway uses: what each is asked, and what it answers. */
export interface Operations {
  DescribeUserPool: [Sdk.DescribeUserPoolCommandInput, Sdk.DescribeUserPoolCommandOutput];
  ListUsers: [Sdk.ListUsersCommandInput, Sdk.ListUsersCommandOutput];
  AdminGetUser: [Sdk.AdminGetUserCommandInput, Sdk.AdminGetUserCommandOutput];
  AdminCreateUser: [Sdk.AdminCreateUserCommandInput, Sdk.AdminCreateUserCommandOutput];
  AdminSetUserPassword: [Sdk.AdminSetUserPasswordCommandInput, Sdk.AdminSetUserPasswordCommandOutput];
  AdminDeleteUser: [Sdk.AdminDeleteUserCommandInput, Sdk.AdminDeleteUserCommandOutput];
  ListGroups: [Sdk.ListGroupsCommandInput, Sdk.ListGroupsCommandOutput];
  GetGroup: [Sdk.GetGroupCommandInput, Sdk.GetGroupCommandOutput];
  CreateGroup: [Sdk.CreateGroupCommandInput, Sdk.CreateGroupCommandOutput];
  UpdateGroup: [Sdk.UpdateGroupCommandInput, Sdk.UpdateGroupCommandOutput];
  DeleteGroup: [Sdk.DeleteGroupCommandInput, Sdk.DeleteGroupCommandOutput];
  AdminListGroupsForUser: [Sdk.AdminListGroupsForUserCommandInput, Sdk.AdminListGroupsForUserCommandOutput];
  ListUsersInGroup: [Sdk.ListUsersInGroupCommandInput, Sdk.ListUsersInGroupCommandOutput];
  AdminAddUserToGroup: [Sdk.AdminAddUserToGroupCommandInput, Sdk.AdminAddUserToGroupCommandOutput];
  AdminRemoveUserFromGroup: [
    Sdk.AdminRemoveUserFromGroupCommandInput,
    Sdk.AdminRemoveUserFromGroupCommandOutput,
  ];
}

/** The name of an operation, which is also its action in IAM (`cognito-idp:ListUsers`). */
export type Action = keyof Operations;

/** What an operation is asked, but for the pool. */
export type PoolRequest<A extends Action> = Omit<Operations[A][0], 'UserPoolId'>;

/** What an operation answers. */
export type Answer<A extends Action> = Operations[A][1];
