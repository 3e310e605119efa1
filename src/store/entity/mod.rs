//! Tables that are read and written row by row, as `sea_orm` entities. Their columns are described in
//! the migrations; what is said of them in bulk is said in statements.

pub(super) mod campaign;
pub(super) mod contact;
pub(super) mod run;
pub(super) mod suppression;
