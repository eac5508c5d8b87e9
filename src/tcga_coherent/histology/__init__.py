"""RNA-CDM: H&E tiles from an expression profile, by cascaded diffusion."""
