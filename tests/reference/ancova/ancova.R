# Analysis of covariance: lm of R 4.2.2 (stats), sandwich 3.0-2 for HC2 and HC3.
# Data: drawn below, 21 participants in two arms of unequal size and variance.
# Writes ancova.json beside this script. Run: Rscript tests/reference/ancova/ancova.R
suppressMessages({library(sandwich); library(jsonlite)})
here <- dirname(sub("--file=", "", grep("--file=", commandArgs(FALSE), value = TRUE)))
# Every number as text with 17 significant digits; jsonlite itself stops at 15.
full <- function(x) {
  if (is.list(x)) { x[] <- lapply(x, full); return(x) }
  if (is.numeric(x)) { y <- sprintf("%.17g", x); dim(y) <- dim(x); return(y) }
  x
}
set.seed(7)
d <- data.frame(arm = rep(c("ART", "NK"), c(13, 8)), baseline = round(rnorm(21, 140, 40)), site = rep(1:3, 7))
d$y <- round(30 + 0.7 * d$baseline + 40 * (d$arm == "NK") + rnorm(21, 0, ifelse(d$arm == "NK", 60, 25)), 1)
fit <- lm(y ~ baseline + arm + factor(site), d)
none <- update(fit, . ~ . - baseline - factor(site))
out <- list(
  made_with = list(R = R.version.string, sandwich = as.character(packageVersion("sandwich"))),
  data = d,
  terms = names(coef(fit)), beta = unname(coef(fit)), model = unname(vcov(fit)),
  hc2 = unname(vcovHC(fit, "HC2")), hc3 = unname(vcovHC(fit, "HC3")),
  p = unname(summary(fit)$coefficients[, 4]), low = unname(confint(fit)[, 1]), high = unname(confint(fit)[, 2]),
  sigma = sigma(fit), r_squared = summary(fit)$r.squared, df = df.residual(fit),
  site_f = anova(update(fit, . ~ . - factor(site)), fit)$F[2], site_p = anova(update(fit, . ~ . - factor(site)), fit)[2, 6]
)
write_json(full(out), file.path(here, "ancova.json"), auto_unbox = TRUE, dataframe = "columns")
