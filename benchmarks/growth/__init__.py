"""The arithmetic of growth: what N tokens a month cost, and which quota they meet first."""
