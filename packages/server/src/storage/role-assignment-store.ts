import type { RoleAssignment } from '../resources/authorization/role-assignments.ts';
import { nullable, numberOf, textOf } from './columns.ts';
import type { ServerDatabase } from './database.ts';

export class RoleAssignmentStore {
  readonly #database: ServerDatabase;

  constructor(database: ServerDatabase) {
    this.#database = database;
  }

  add(assignment: RoleAssignment): void {
    this.#database.change(
      `INSERT INTO role_assignments
         (id, scope, role_id, principal_id, principal_type, description, created_by, created_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      assignment.id,
      assignment.scope,
      assignment.roleId,
      assignment.principalId,
      assignment.principalType,
      assignment.description,
      assignment.createdBy,
      assignment.createdAt,
    );
  }

  remove(id: string): void {
    this.#database.change('DELETE FROM role_assignments WHERE id = ?', id);
  }

  list(): readonly RoleAssignment[] {
    return this.#database.all('SELECT * FROM role_assignments ORDER BY created_at, id').map((row) => ({
      id: textOf(row, 'id'),
      scope: textOf(row, 'scope'),
      roleId: textOf(row, 'role_id'),
      principalId: textOf(row, 'principal_id'),
      principalType: textOf(row, 'principal_type'),
      description: nullable(row, 'description', textOf),
      createdBy: textOf(row, 'created_by'),
      createdAt: numberOf(row, 'created_at'),
    }));
  }
}
