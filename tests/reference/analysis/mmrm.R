# A mixed model for repeated measures of a plan, done in R on a long table: unstructured covariance of the visits after
# baseline, visit, baseline value by visit and arm by visit. R 4.2.2; gls of nlme 3.1-162 (restricted maximum likelihood), then
# Newton's steps on the likelihood written out, which take it to the last digits. The covariance and degrees of freedom are
# written out from Kenward and Roger (1997), Biometrics 53:983-997, with the observed information and without second
# derivatives of the covariance, of which an unstructured one has none: one matrix for all observations, nothing saved.
# Run: Rscript mmrm.R counts.csv > counts.mmrm.json. Columns: participant, arm (NK or ART), month (0 is baseline), count.
suppressMessages({library(nlme); library(jsonlite)})
# Every number as text with 17 significant digits; jsonlite itself stops at 15.
full <- function(x) {
  if (is.list(x)) { x[] <- lapply(x, full); return(x) }
  if (is.numeric(x)) return(sprintf("%.17g", x))
  x
}
d <- read.csv(commandArgs(TRUE)[1], colClasses = c(participant = "character"))
d <- d[!is.na(d$count), ]
base <- d[d$month == 0, c("participant", "count")]; names(base)[2] <- "baseline"
d <- merge(d[d$month > 0, ], base); d <- d[order(d$participant, d$month), ]
d$test <- as.numeric(d$arm == "NK")
d$visit <- factor(d$month); d$place <- as.integer(d$visit); visits <- nlevels(d$visit)

control <- glsControl(maxIter = 1000, msMaxIter = 5000, tolerance = 1e-10, msTol = 1e-12, opt = "nlminb")
fit <- gls(count ~ 0 + visit + visit:baseline + visit:test, data = d, correlation = corSymm(form = ~ place | participant),
           weights = varIdent(form = ~ 1 | visit), control = control)
whole <- diag(visits)
whole[lower.tri(whole)] <- coef(fit$modelStruct$corStruct, unconstrained = FALSE)
whole <- whole + t(whole) - diag(visits)
weight <- coef(fit$modelStruct$varStruct, unconstrained = FALSE, allCoef = TRUE)[levels(d$visit)]
sigma <- fit$sigma^2 * whole * outer(weight, weight)

X <- model.matrix(~ 0 + visit + visit:baseline + visit:test, d); y <- d$count
same <- outer(d$participant, d$participant, "==")
pairs <- which(lower.tri(diag(visits), diag = TRUE), arr.ind = TRUE)
directions <- lapply(seq_len(nrow(pairs)), function(k) {
  E <- matrix(0, visits, visits); E[pairs[k, 1], pairs[k, 2]] <- 1; E[pairs[k, 2], pairs[k, 1]] <- 1; E })
spread <- function(S) S[d$place, d$place] * same
D <- lapply(directions, spread)
products <- function(f) outer(seq_along(D), seq_along(D), Vectorize(f))
for (step in 1:8) {
  W <- solve(spread(sigma)); Phi <- solve(t(X) %*% W %*% X)
  P <- W - W %*% X %*% Phi %*% t(X) %*% W; Py <- P %*% y
  score <- sapply(D, function(A) -sum(P * A) / 2 + sum(Py * (A %*% Py)) / 2)
  PA <- lapply(D, function(A) P %*% A); APy <- lapply(D, function(A) A %*% Py)
  observed <- products(function(i, j) -sum(PA[[i]] * t(PA[[j]])) / 2 + sum(APy[[i]] * (P %*% APy[[j]])))
  if (step == 8) break
  move <- solve(observed, score)
  for (k in seq_along(move)) sigma <- sigma + move[k] * directions[[k]]
}
beta <- drop(Phi %*% t(X) %*% W %*% y); spare <- solve(observed)
WX <- W %*% X
p1 <- lapply(D, function(A) -t(WX) %*% A %*% WX)
inner <- matrix(0, ncol(X), ncol(X))
for (i in seq_along(D)) for (j in seq_along(D))
  inner <- inner + spare[i, j] * (t(WX) %*% D[[i]] %*% W %*% D[[j]] %*% WX - p1[[i]] %*% Phi %*% p1[[j]])
adjusted <- Phi + 2 * Phi %*% inner %*% Phi

effects <- diag(ncol(X))[grep(":test$", colnames(X)), ]
single <- function(l) {
  slope <- sapply(p1, function(A) -drop(t(l) %*% Phi %*% A %*% Phi %*% l))
  estimate <- sum(l * beta); se <- sqrt(drop(t(l) %*% adjusted %*% l))
  df <- 2 * drop(t(l) %*% Phi %*% l)^2 / drop(t(slope) %*% spare %*% slope)
  list(estimate = estimate, se = se, df = df, statistic = estimate / se, p = 2 * pt(-abs(estimate / se), df),
       low = estimate - qt(0.975, df) * se, high = estimate + qt(0.975, df) * se)
}
joint <- function(L) {
  q <- nrow(L); theta <- t(L) %*% solve(L %*% Phi %*% t(L)) %*% L
  M <- lapply(p1, function(A) theta %*% Phi %*% A %*% Phi)
  a1 <- sum(spare * products(function(i, j) sum(diag(M[[i]])) * sum(diag(M[[j]]))))
  a2 <- sum(spare * products(function(i, j) sum(M[[i]] * t(M[[j]]))))
  b <- (a1 + 6 * a2) / (2 * q); g <- ((q + 1) * a1 - (q + 4) * a2) / ((q + 2) * a2); k <- 3 * q + 2 * (1 - g)
  c1 <- g / k; c2 <- (q - g) / k; c3 <- (q + 2 - g) / k
  mean <- 1 / (1 - a2 / q); variance <- 2 / q * (1 + c1 * b) / ((1 - c2 * b)^2 * (1 - c3 * b))
  rho <- variance / (2 * mean^2); m <- 4 + (q + 2) / (q * rho - 1); scale <- m / (mean * (m - 2))
  f <- scale * drop(t(L %*% beta) %*% solve(L %*% adjusted %*% t(L)) %*% (L %*% beta)) / q
  list(f = f, df = q, df2 = m, p = pf(f, q, m, lower.tail = FALSE))
}
root <- sqrt(diag(sigma)); correlation <- sigma / outer(root, root)
# A participant's residuals by the inverse of the Cholesky root of their covariance.
residuals <- unlist(lapply(unique(d$participant), function(who) {
  own <- d$participant == who; S <- sigma[d$place[own], d$place[own], drop = FALSE]
  drop(solve(t(chol(S)), (y - X %*% beta)[own])) }))
cat(toJSON(full(list(
  made_with = list(R = R.version.string, nlme = as.character(packageVersion("nlme"))),
  last = single(effects[nrow(effects), ]), overall = single(colMeans(effects)),
  joint = joint(effects[-1, , drop = FALSE] - effects[rep(1, nrow(effects) - 1), , drop = FALSE]),
  sd = setNames(as.list(root), levels(d$visit)),
  correlation = setNames(as.list(correlation[lower.tri(correlation)]),
                         paste(levels(d$visit)[pairs[pairs[, 1] != pairs[, 2], 2]],
                               levels(d$visit)[pairs[pairs[, 1] != pairs[, 2], 1]], sep = ":")),
  residuals = as.list(sort(unname(residuals))), participants = length(unique(d$participant)), observations = nrow(d))),
  auto_unbox = TRUE, pretty = 1), "\n")
